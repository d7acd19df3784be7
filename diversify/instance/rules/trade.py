"""Rules on places and lanes."""

from __future__ import annotations

from collections.abc import Iterator

from diversify.errors import Problem
from diversify.instance.draft import Draft
from diversify.instance.reach import Reach


def coordinates(draft: Draft) -> Iterator[Problem]:
    """A lane that is generated needs the coordinates of both ends, or a distance."""
    if {"locations", "recipes", "facilities", "distances", "lanes"} & draft.unread:
        return
    lacking = {
        place: index
        for index, place, latitude, longitude in draft.rows("locations", "location", "latitude", "longitude")
        if place is not None and (latitude is None or longitude is None)
    }
    if not lacking:
        return
    reach = Reach(draft)
    for place, index in lacking.items():
        lane = next(reach.lanes_without_distance(place), None)
        if lane is None:
            continue
        origin, destination, commodity = lane
        blank = "latitude" if draft.frame("locations")["latitude"].isna().iloc[index] else "longitude"
        message = f"{place!r} has no coordinates, which the lane of {commodity!r} from {origin!r} to {destination!r} needs."
        remedy = "Fill in latitude and longitude, or list the distance in distances, or the lane with its cost in lanes."
        yield draft.problem("no_coordinates", "locations", index, blank, message, remedy)
