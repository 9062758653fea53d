"""Families about dates; they are passed as ISO text so that tests need no imports of their own."""

from __future__ import annotations

from benchmarks.lab.families.inputs import DAYS, YEARS
from benchmarks.lab.families.notation import fam

_SPANS = [
    ("2024-01-01", "2024-03-01"),
    ("2023-12-31", "2024-01-01"),
    ("2000-02-28", "2000-03-01"),
    ("2021-07-15", "2021-07-15"),
    ("2022-05-09", "2021-04-08"),
]
_ISO = "date.fromisoformat"


def _dated(body: str) -> str:
    """Return ``body`` with the import that a function over dates needs."""
    return (
        f"from datetime import date, timedelta\n{body}"
        if "timedelta" in body
        else f"from datetime import date\n{body}"
    )


FAMILIES = [
    fam(
        "leap-year",
        "year",
        "[Check|Tell] whether $year is a leap year // True if $year has 366 days",
        "is_leap leap leap_year",
        "return $year % 4 == 0 and ($year % 100 != 0 or $year % 400 == 0)",
        YEARS,
    ),
    fam(
        "add-days",
        "day",
        "@ the ISO date $K days after $day // Add $K days to the ISO date $day",
        "add_days later shift",
        _dated(f"return str({_ISO}($day) + timedelta(days=$K))"),
        DAYS,
        K=range(2, 99),
    ),
    fam(
        "subtract-weeks",
        "day",
        "@ the ISO date $K weeks before $day // Go back $K weeks from the ISO date $day",
        "weeks_before earlier back",
        _dated(f"return str({_ISO}($day) - timedelta(weeks=$K))"),
        DAYS,
        K=range(2, 40),
    ),
    fam(
        "days-between",
        "day end",
        "[Count|@] the days from $day to $end // @ how many days lie between the ISO dates $day and $end",
        "days_between span duration",
        _dated(f"return ({_ISO}($end) - {_ISO}($day)).days"),
        _SPANS,
    ),
    fam(
        "weekday-number",
        "day",
        "@ the weekday of $day, Monday 0 // Number of the weekday of the ISO date $day, Monday is 0",
        "weekday day_number which_day",
        _dated(f"return {_ISO}($day).weekday()"),
        DAYS,
    ),
    fam(
        "is-weekend",
        "day",
        "[Check|Tell] whether $day is a weekend // True if the ISO date $day is Saturday or Sunday",
        "is_weekend weekend day_off",
        _dated(f"return {_ISO}($day).weekday() >= 5"),
        DAYS,
    ),
    fam(
        "day-of-year",
        "day",
        "@ the day of the year of $day // Number of the ISO date $day within its year",
        "day_of_year ordinal year_day",
        _dated(f"return {_ISO}($day).timetuple().tm_yday"),
        DAYS,
    ),
    fam(
        "iso-week",
        "day",
        "@ the ISO week number of $day // Number of the calendar week of $day",
        "iso_week week_number calendar_week",
        _dated(f"return {_ISO}($day).isocalendar()[1]"),
        DAYS,
    ),
    fam(
        "first-of-month",
        "day",
        "@ the first day of the month of $day // First of the month for the ISO date $day",
        "month_start first_of_month begin",
        'return $day[:8] + "01"',
        DAYS,
    ),
    fam(
        "month-number",
        "day",
        "@ the month of the ISO date $day as an integer // Read the month number of $day",
        "month month_number get_month",
        "return int($day[5:7])",
        DAYS,
    ),
    fam(
        "quarter",
        "day",
        "@ the quarter of the ISO date $day // Which quarter, 1 to 4, is $day in",
        "quarter quarter_of season",
        "return (int($day[5:7]) + 2) // 3",
        DAYS,
    ),
    fam(
        "swap-date-order",
        "day",
        '@ the ISO date $day as day${S}month${S}year // Write $day as day, month, year with "$S"',
        "european swap_date reformat",
        'return "$S".join(reversed($day.split("-")))',
        DAYS,
        S=("/", ".", " ", "_"),
    ),
    fam(
        "same-month",
        "day end",
        "[Check|Tell] whether $day and $end share year and month // True if $day and $end are in one month",
        "same_month one_month share_month",
        "return $day[:7] == $end[:7]",
        [*_SPANS, ("2024-02-01", "2024-02-29")],
    ),
]
