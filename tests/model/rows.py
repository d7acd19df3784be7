"""Rows of the case of :mod:`all_features`, as the data say that they must read: (constraint, key, row)."""

from __future__ import annotations

ROWS: list[tuple[str, object, str]] = [
    # Past sales of 30 t give 30 x 0.2 = 6 t of swarf; a tonne of magnets leaves 0.1 t.
    (
        "c_supply",
        ("Osaka", "JPN", "swarf", "", 2027),
        """
        -1 v_dispose[Osaka,JPN,swarf,,2027]
        -1 v_flow[Osaka,JPN,Osaka,swarf,,2027]
        0.1 v_run[works,making,,2027]
        = -6
        """,
    ),
    # 2029 - 2 lies in 2027: swarf of what was delivered then, whatever its tag, and the swarf itself is clean.
    (
        "c_supply",
        ("Osaka", "JPN", "swarf", "", 2029),
        """
        0.2 v_deliver[Osaka,magnet,magnet,,2027]
        0.2 v_deliver[Osaka,magnet,magnet,china,2027]
        -1 v_dispose[Osaka,JPN,swarf,,2029]
        -1 v_flow[Osaka,JPN,Osaka,swarf,,2029]
        0.1 v_run[works,making,,2029]
        = 0
        """,
    ),
    # The pit stands in China: its run has no input, its ore carries china. Ore has a market.
    (
        "c_supply",
        ("Baotou", "CHN", "ore", "china", 2026),
        """
        -1 v_dispose[Baotou,CHN,ore,china,2026]
        -1 v_flow[Baotou,CHN,Osaka,ore,china,2026]
        1 v_run[pit,mining,,2026]
        -1 v_sell[Baotou,CHN,ore,china,2026]
        = 0
        """,
    ),
    # Recasting joins two traced inputs, so clean ore may be handed over as Chinese.
    (
        "c_use",
        ("Osaka", "ore", "", 2027),
        """
        1 v_draw[Osaka,ore,,2027]
        1 v_flow[Denver,USA,Osaka,ore,,2027]
        -1 v_handover[Osaka,ore,,china,2027]
        -2 v_run[works,making,,2027]
        -0.5 v_run[works,recasting,,2027]
        -1 v_store[Osaka,ore,,2027]
        = 0
        """,
    ),
    (
        "c_use",
        ("Osaka", "ore", "china", 2027),
        """
        1 v_draw[Osaka,ore,china,2027]
        1 v_flow[Baotou,CHN,Osaka,ore,china,2027]
        1 v_handover[Osaka,ore,,china,2027]
        -2 v_run[works,making,china,2027]
        -0.5 v_run[works,recasting,china,2027]
        -1 v_store[Osaka,ore,china,2027]
        = 0
        """,
    ),
    (
        "c_use",
        ("Denver", "magnet", "china", 2026),
        """
        -1 v_deliver[Denver,magnet,magnet,china,2026]
        1 v_flow[Osaka,JPN,Denver,magnet,china,2026]
        = 0
        """,
    ),
    # Two tonnes of ferrite replace one of magnets.
    (
        "c_demand",
        ("Osaka", "magnet", 2026),
        """
        0.5 v_deliver[Osaka,magnet,ferrite,,2026]
        1 v_deliver[Osaka,magnet,magnet,,2026]
        1 v_deliver[Osaka,magnet,magnet,china,2026]
        1 v_short[Osaka,magnet,2026]
        = 25
        """,
    ),
    # Between 4 in 2026 and 7 in 2029.
    (
        "c_demand",
        ("Denver", "magnet", 2027),
        """
        1 v_deliver[Denver,magnet,magnet,,2027]
        1 v_deliver[Denver,magnet,magnet,china,2027]
        1 v_short[Denver,magnet,2027]
        = 5
        """,
    ),
    # 8 % of 25 t.
    (
        "c_substitute",
        ("Osaka", "magnet", "ferrite", 2029),
        """
        0.5 v_deliver[Osaka,magnet,ferrite,,2029]
        <= 2
        """,
    ),
    (
        "c_lane_capacity",
        ("Denver", "Osaka", "ore", 2029),
        """
        1 v_flow[Denver,USA,Osaka,ore,,2029]
        <= 12
        """,
    ),
    (
        "c_contract",
        ("offtake", 2027),
        """
        1 v_flow[Baotou,CHN,Osaka,ore,china,2027]
        >= 13
        """,
    ),
    (
        "c_restriction",
        ("quota", 2026),
        """
        1 v_flow[Baotou,CHN,Osaka,ore,china,2026]
        <= 34
        """,
    ),
    (
        "c_market",
        ("Denver", "ore", 2027),
        """
        1 v_sell[Denver,USA,ore,,2027]
        <= 2
        """,
    ),
    # 100 t stand before 2028.
    (
        "c_capacity",
        ("pit", 2027),
        """
        1 v_close[pit,2027]
        1 v_run[pit,mining,,2027]
        <= 100
        """,
    ),
    # 80 t stand from 2028 on, of which a strike leaves four fifths and a flood three quarters of these.
    (
        "c_capacity",
        ("pit", 2029),
        """
        0.6 v_close[pit,2029]
        1 v_run[pit,mining,,2029]
        <= 48
        """,
    ),
    # A unit of 30 t gives half in its first year; one of 2027 is two calendar years old in 2029 and gives all.
    (
        "c_capacity",
        ("ridge", 2029),
        """
        -30 v_build[ridge-1,2027]
        -15 v_build[ridge-1,2029]
        1 v_run[ridge,mining,,2029]
        <= 0
        """,
    ),
    # Of 40 t that stand and half of what is new a repair leaves half, three quarters of that can run; a tonne recast takes half a tonne.
    (
        "c_capacity",
        ("works", 2029),
        """
        -0.1875 v_build[works-1,2029]
        1 v_run[works,making,,2029]
        1 v_run[works,making,china,2029]
        0.5 v_run[works,recasting,,2029]
        0.5 v_run[works,recasting,china,2029]
        <= 15
        """,
    ),
    # A tenth of that half.
    (
        "c_minimum_run",
        ("works", 2029),
        """
        -0.025 v_build[works-1,2029]
        1 v_run[works,making,,2029]
        1 v_run[works,making,china,2029]
        0.5 v_run[works,recasting,,2029]
        0.5 v_run[works,recasting,china,2029]
        >= 2
        """,
    ),
    # The years stand for 1, 2 and 2.
    (
        "c_reserve",
        "pit",
        """
        1 v_run[pit,mining,,2026]
        2 v_run[pit,mining,,2027]
        2 v_run[pit,mining,,2029]
        <= 300
        """,
    ),
    # Half a year of lead: no unit in 2026.
    (
        "c_units_max",
        "ridge-1",
        """
        1 v_build[ridge-1,2027]
        1 v_build[ridge-1,2029]
        <= 2
        """,
    ),
    (
        "c_units_min",
        "ridge-1",
        """
        1 v_build[ridge-1,2027]
        1 v_build[ridge-1,2029]
        >= 1
        """,
    ),
    (
        "c_open_once",
        "ridge-1",
        """
        1 v_open[ridge-1,2027]
        1 v_open[ridge-1,2029]
        <= 1
        """,
    ),
    (
        "c_open_first",
        ("ridge-1", 2029),
        """
        1 v_build[ridge-1,2027]
        1 v_build[ridge-1,2029]
        -2 v_open[ridge-1,2027]
        -2 v_open[ridge-1,2029]
        <= 0
        """,
    ),
    # Standing capacity falls from 100 to 80 t anyway.
    (
        "c_closed_stays",
        ("pit", 2029),
        """
        -1 v_close[pit,2027]
        1 v_close[pit,2029]
        >= -20
        """,
    ),
    (
        "c_stock",
        ("Osaka", "ore", "china", 2026),
        """
        1 v_draw[Osaka,ore,china,2026]
        1 v_stock[Osaka,ore,china,2026]
        -1 v_store[Osaka,ore,china,2026]
        = 8
        """,
    ),
    (
        "c_stock",
        ("Osaka", "ore", "", 2029),
        """
        2 v_draw[Osaka,ore,,2029]
        -1 v_stock[Osaka,ore,,2027]
        1 v_stock[Osaka,ore,,2029]
        -2 v_store[Osaka,ore,,2029]
        = 0
        """,
    ),
    (
        "c_stock_capacity",
        ("Osaka", "ore", 2026),
        """
        1 v_stock[Osaka,ore,,2026]
        1 v_stock[Osaka,ore,china,2026]
        <= 9
        """,
    ),
    (
        "c_stock_final",
        ("Osaka", "ore"),
        """
        1 v_stock[Osaka,ore,,2029]
        1 v_stock[Osaka,ore,china,2029]
        >= 3
        """,
    ),
    # Half-way from 80 % in 2027 to 40 % in 2031.
    (
        "c_cap",
        ("half", "JPN", 2029),
        """
        -1 v_excess[half,JPN,2029]
        -0.6 v_flow[Osaka,JPN,Osaka,magnet,,2029]
        0.4 v_flow[Osaka,JPN,Osaka,magnet,china,2029]
        <= 0
        """,
    ),
    (
        "c_cap",
        ("mined", "JPN", 2027),
        """
        0.1 v_flow[Baotou,CHN,Osaka,ore,china,2027]
        -0.9 v_flow[Denver,USA,Osaka,ore,,2027]
        <= 0
        """,
    ),
    # What stays at home counts as made; what goes to the United States counts as made and as taken in, 1 - 0.4.
    (
        "c_floor",
        ("home", 2027),
        """
        0.6 v_flow[Osaka,JPN,Denver,magnet,,2027]
        0.6 v_flow[Osaka,JPN,Denver,magnet,china,2027]
        1 v_flow[Osaka,JPN,Osaka,magnet,,2027]
        1 v_flow[Osaka,JPN,Osaka,magnet,china,2027]
        >= 0
        """,
    ),
    # On line in 2027 means decided in 2026.5; 2029 would be 2028.5, after the budget's last year.
    (
        "c_budget",
        "grants",
        """
        3 v_build[ridge-1,2027]
        1 v_open[ridge-1,2027]
        <= 4
        """,
    ),
]
