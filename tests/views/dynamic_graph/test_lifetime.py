"""The count of living objects on screen is the count of the run."""

from engines.graphs.read_torch import record
from engines.problem import preset
from engines.regression.torch_autograd import train
from views.dynamic_graph.graph_series import moments
from views.dynamic_graph.lifetime import lives_of, living_objects
from views.player import Timeline


def test_eight_live_and_for_a_moment_fourteen_while_all_that_was_made_adds_up():
    run = train(preset("autograd_article"), steps=5, learning_rate=0.001)
    steps = list(record(run, wanted={0, 1, 2}))
    timeline = Timeline({}, 0, parts=(2, 6, 2, 0))
    rows = living_objects(steps, lives_of(steps), timeline)["datasets"]["counts"].to_pandas()
    assert len(rows) == sum(len(moments(step)) for step in steps) == 54
    assert rows.groupby("step")["alive"].max().tolist() == [8, 14, 14]
    assert rows.groupby("step")["alive"].last().tolist() == [8, 8, 8]
    assert rows.groupby("step")["made"].max().tolist() == [8, 14, 20]
