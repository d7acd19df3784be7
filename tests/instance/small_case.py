"""A small case that uses every table, has no error and nothing odd, as the texts of its files."""

from __future__ import annotations

from pathlib import Path

META = """\
format: 1
name: small
title: A small case
years: [2026, 2028, 2030]
discount_rate: 0.05
reveal_year: 2028
"""

TABLES = {
    "commodities": """\
commodity,price_usd_per_t,disposal_usd_per_t,traced,stage
ore,100,1,,mining
metal,5000,,true,smelting
scrap,50,0,false,
alloy,4000,,,
""",
    "prices": "commodity,year,price_usd_per_t\nmetal,2026,5000\nmetal,2030,6000\n",
    "processes": "process,reference,stage\nmine,ore,mining\nsmelt,metal,smelting\nrecycle,metal,smelting\nblend,alloy,\n",
    "recipes": """\
process,commodity,amount_t_per_t
mine,ore,1
smelt,ore,-1.5
smelt,metal,1
recycle,scrap,-3
recycle,metal,1
blend,alloy,1
""",
    "countries": "country,name,wacc,customs_union\nUSA,United States,0.06,\nJPN,Japan,,\nCHN,China,0.07,\n",
    "groups": "group,country\nallies,USA\nallies,JPN\nchina,CHN\n",
    "locations": "location,country,latitude,longitude\nus,USA,40,-100\njp,JPN,35,135\ncn,CHN,30,110\n",
    "facilities": """\
facility,location,process,owner,capacity_t_per_year,first_year,last_year,closable,utilisation_max,utilisation_min,variable_usd_per_t
mine-cn,cn,mine,,900,,,,,,10
smelt-cn,cn,smelt,,500,,,true,0.9,0.1,100
smelt-us,us,smelt,JPN,,,,,,,120
blend-jp,jp,blend,,50,2026,2030,false,,,
""",
    "capacities": "facility,year,capacity_t_per_year\nsmelt-cn,2026,400\nsmelt-cn,2030,450\n",
    "outages": "outage,facility,first_year,last_year,available\nflood,smelt-cn,2028,2028,0.5\nrefit,smelt-us,2030,,\n",
    "modes": "facility,process,capacity_per_t,variable_usd_per_t\nsmelt-us,recycle,1.2,90\n",
    "projects": """\
project,facility,unit_t_per_year,units_max,max_t_per_year,units_min,capex_unit_musd,capex_usd_per_t_year,lead_years,earliest_year,latest_year,life_years,ramp
new-us,smelt-us,100,3,,1,2.5,,2,2026,2030,20,0.5;1
more-jp,blend-jp,,,80,,,1000,1,,,10,
""",
    "freight": "commodity,handling_usd_per_t,freight_usd_per_t_km\nore,5,0.01\nmetal,10,0.02\n",
    "distances": "origin,destination,km\ncn,us,11000\n",
    "lanes": "origin,destination,commodity,cost_usd_per_t,capacity_t_per_year\ncn,jp,metal,30,1000\n",
    "contracts": "contract,origin,destination,commodity,first_year,last_year,minimum_t_per_year\nold,cn,jp,metal,2026,2028,5\n",
    "tariffs": "tariff,origin,destination,commodity,first_year,last_year,rate\nduty,china,USA,metal,2026,,0.25\n",
    "restrictions": """\
restriction,origin,destination,commodity,first_year,last_year,limit_t_per_year,by
quota,china,allies,metal,2028,2030,300,
""",
    "demand": """\
location,commodity,year,quantity_t_per_year,shortage_usd_per_t
us,metal,2026,100,50000
us,metal,2030,150,50000
jp,metal,,80,50000
""",
    "substitutes": "commodity,substitute,ratio_t_per_t,extra_usd_per_t,max_share\nmetal,alloy,1.2,500,0.3\n",
    "markets": "location,commodity,price_usd_per_t,limit_t_per_year\n*,alloy,3000,\njp,alloy,3500,10\n",
    "stockpiles": "location,commodity,initial_t,origin,capacity_t,holding_usd_per_t_year\njp,metal,20,CHN,60,5\n",
    "returns": "commodity,location,scrap,lag_years,scrap_t_per_t,past_t_per_year\nmetal,*,scrap,4,0.2,60\n",
    "caps": """\
cap,year,share,commodity,consumers,sources,basis,scope
china,2026,0.9,metal,allies,china,traced,pooled
china,2030,0.5,metal,allies,china,traced,pooled
each,2028,0.8,metal,allies,CHN,produced,each
""",
    "floors": "floor,year,share,commodity,consumers,makers\nhome,2030,0.1,metal,allies,USA\n",
    "budgets": "budget,payer,first_year,last_year,limit_musd\npublic,USA,2024,2030,100\n",
    "scenarios": "scenario,probability,title\nbase,0.6,As it is\nban,0.4,A ban\n",
    "changes": """\
scenario,change
ban,"+restrictions[restriction=ban,origin=china,destination=*,commodity=ore,first_year=2028,last_year=2030,limit_t_per_year=0]"
ban,demand[commodity=metal].quantity_t_per_year=x1.2
""",
    "families": """\
family,kind,origin,destination,commodity,country,follows,chance,first_low,first_high,years_low,years_high,low,high,reference_t_per_year
control,export_control,china,allies,metal,,,0.4,2028,2030,1,2,0.5,1,200
ore-control,export_control,china,allies,ore,,control,,,,,,1,1,
growth,demand,,,metal,allies,,,2028,2028,,,0.9,1.2,
dearer,capex,,,,*,,,,,,,1,1.5,
later,delay,,,metal,USA,,0.5,,,,,1,2,
""",
    "figures": "table,key,column,source,quality,low,high\nfacilities,smelt-us,variable_usd_per_t,report,cited,100,150\n",
    "sources": "source,title,publisher,year,url,licence\nreport,A report,A house,2024,,\n",
}


def write_case(folder: Path, meta: str | None = META, **tables: str | bytes | None) -> Path:
    """Write the case into a folder, with some tables replaced by other texts (None leaves one out), and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if meta is not None:
        (folder / "instance.yaml").write_text(meta, encoding="utf-8")
    for name, text in {**TABLES, **tables}.items():
        if text is not None:
            (folder / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return folder


def mutated(table: str, old: str, new: str) -> dict[str, str]:
    """Return a table's text with one passage replaced, as keyword arguments of ``write_case``."""
    text = TABLES[table]
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {table}"
    return {table: text.replace(old, new)}
