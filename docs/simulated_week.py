"""Draws docs/simulated-week.png: a week of the simulated shop, counted from its batches. Needs matplotlib.

python docs/simulated_week.py
"""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
from matplotlib import dates as matplotlib_dates
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mparticle_fixtures.simulation.manifest import Manifest
from mparticle_fixtures.simulation.simulation import Simulation

START: Final = datetime(2026, 3, 2, tzinfo=UTC)
USERS: Final = 6000
dates: Any = matplotlib_dates
"""It has no types."""

COLOURS: Final = ("#1f5f8b", "#d9772b", "#4f8a4c")


def main() -> None:
    """Simulate, count, draw."""
    simulation = Simulation(users=USERS, start=START, seed=7, locales=["en_GB", "de_DE", "fr_FR"])
    sessions: Counter[datetime] = Counter()
    revenue: dict[tuple[str, datetime], Decimal] = defaultdict(Decimal)
    for chunk in simulation.chunks():
        for line in chunk.splitlines():
            for event in msgspec.json.decode(line)["events"]:
                data = event["data"]
                moment = datetime.fromtimestamp(data["timestamp_unixtime_ms"] / 1000, UTC)
                if event["event_type"] == "session_start":
                    sessions[moment.replace(minute=0, second=0, microsecond=0)] += 1
                elif (action := data.get("product_action", {})).get("action") == "purchase":
                    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
                    revenue[data["currency_code"], day] += Decimal(str(action["total_amount"]))
    figure = Figure(figsize=(11, 7.2), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.25))
    figure.suptitle(f"A simulated week: profile retail, {USERS:,} users in Great Britain, Germany and France, seed 7")
    _draw_sessions(figure.add_subplot(grid[0, :]), sessions)
    _draw_funnel(figure.add_subplot(grid[1, 0]), simulation.manifest)
    _draw_revenue(figure.add_subplot(grid[1, 1]), revenue)
    path = Path(__file__).with_name("simulated-week.png")
    figure.savefig(path, dpi=100, metadata={"Software": None})


def _draw_sessions(axes: Axes, sessions: Counter[datetime]) -> None:
    counts = [sessions[START + timedelta(hours=hour)] for hour in range(7 * 24)]
    axes.stairs(
        counts, [dates.date2num(START + timedelta(hours=hour)) for hour in range(7 * 24 + 1)], fill=True, color=COLOURS[0]
    )
    saturday, monday = (dates.date2num(START + timedelta(days=day)) for day in (5, 7))
    axes.axvspan(saturday, monday, color="black", alpha=0.06, linewidth=0)
    axes.text(saturday + 0.04, max(counts), "weekend", va="top", color="#555555")
    axes.set(title="Sessions started per hour (UTC)", xlim=(dates.date2num(START), monday), ylim=(0, None))
    axes.xaxis.set_major_locator(dates.DayLocator())
    axes.xaxis.set_minor_locator(dates.HourLocator(byhour=[12]))
    axes.xaxis.set_major_formatter(ticker.NullFormatter())
    axes.xaxis.set_minor_formatter(dates.DateFormatter("%a %d %b\nnoon"))
    axes.tick_params(axis="x", which="minor", length=0)
    axes.grid(axis="x", alpha=0.4)


def _draw_funnel(axes: Axes, manifest: Manifest) -> None:
    steps = [("session", manifest.sessions.started), *((step.step, step.sessions) for step in manifest.funnel)]
    names, counts = zip(*reversed(steps), strict=True)
    bars = axes.barh(names, counts, color=COLOURS[0])
    shares = [f"{count:,}  ({count / manifest.sessions.started:.1%})" for count in counts]
    axes.bar_label(bars, shares, padding=4)
    axes.set(title="Sessions that reached each step", xlim=(0, max(counts) * 1.55))
    axes.xaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))


def _draw_revenue(axes: Axes, revenue: dict[tuple[str, datetime], Decimal]) -> None:
    currencies = sorted({currency for currency, _ in revenue})
    days = [START + timedelta(days=day) for day in range(7)]
    width = 0.8 / len(currencies)
    for index, currency in enumerate(currencies):
        places = [day + index * width - 0.4 + width / 2 for day in range(7)]
        total = sum(revenue[currency, day] for day in days)
        amounts = [float(revenue[currency, day]) for day in days]
        axes.bar(places, amounts, width, color=COLOURS[index], label=f"{currency}, {total:,.2f} in all")
    axes.set(title="Revenue per day (each in its own currency)")
    axes.set_xticks(range(7), [f"{day:%a}" for day in days])
    axes.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])
    axes.legend(frameon=False, ncols=len(currencies), loc="upper left")


if __name__ == "__main__":
    main()
