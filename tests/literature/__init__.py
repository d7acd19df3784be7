"""The engine against optima published in the literature.

Each module types in one published problem as facts, puts it into the public instance format, solves it with a gap of zero
and compares with the published optimum. Beside it stands a second formulation that shares nothing with the engine (a plain
statement for ``scipy.optimize.milp``, a recursion or an enumeration), so that the published figure is confirmed by running
code and a mistake in the typing shows.

================================  =========================================================================================
module                            what it exercises
================================  =========================================================================================
``test_warehouse_location``       units that are built or not, fixed first-unit cost, impossible lanes, OR-Library's format
``test_distribution``             two stages, modes that share a capacity, substitutes, depots built, expanded and given up
``test_refinery``                 joint production over several stages, blending limits, least utilisation, sales
``test_food_manufacture``         six periods, stocks, prices and ad-valorem tariffs by period, joint production, sales
``test_lot_sizing``               twelve periods, stocks, set-ups as units of one period's life
``test_equipment_replacement``    five periods, units of several lives
``test_capacity_expansion``       six periods, integer units, fixed first-unit cost, discounting
``test_two_stage``                scenarios, what is common to them, conditional value at risk, EVPI and VSS, stocks, substitutes
================================  =========================================================================================
"""
