import pytest

from reports.canvas import axes, plain_ticks


@pytest.mark.parametrize(
    ("ends", "labels"),
    [
        ((0.4, 6), ["0.5", "1", "2", "5"]),
        ((30, 1500), ["50", "100", "200", "500", "1,000"]),
        ((0.09, 12000), [f"{m * 10.0**e:,g}" for e in range(-1, 5) for m in (1, 2, 5)][:16]),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_plain_numbers(ends, labels):
    with axes() as plot:
        plot.set(xscale="log", xlim=ends)
        plain_ticks(plot.xaxis)
        plot.figure.draw_without_rendering()
        ticks = plot.xaxis.get_major_ticks()
        shown = [tick.label1.get_text() for tick in ticks if ends[0] <= tick.get_loc() <= ends[1]]
        assert shown == labels
        assert not any(tick.label1.get_text() for tick in plot.xaxis.get_minor_ticks())
