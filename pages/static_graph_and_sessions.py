"""Static graph and sessions (E6, E7, E8, E9, E11). A string that stands alone is page text."""

import streamlit as st

from engines.experiments import EXPERIMENTS
from views.ui import shell

FILE = "pages/static_graph_and_sessions.py"

here = shell.open_chapter(FILE)
measuring = None
with shell.loading("TensorFlow and PyTorch"):
    from views.static_graph_and_sessions import (
        baked_in,
        build_and_run,
        control_flow,
        fetch,
        growing,
        mistakes,
        paid_once,
        printed_table,
        race,
        runs,
        tf_function,
        training,
        two_sessions,
        updates,
        watching,
    )
match here.name:
    case "fetch":
        fetched = fetch.show_stage(here)
        """
        The graph is that of the listing. Choose a box, here or in the list, and it is fetched.
        What a line of Python wrote is one operation or several: a box has the one that it is named
        after and those that serve only it; a box of the way back has all that lead back through
        one operation. (This is TensorFlow 1. [What became of sessions](?chapter=tf_function) in
        TensorFlow 2 has a chapter of its own.)
        """
        fetch.tell(fetched)
        """
        **Feed y_pred as well, with zeros.** Then the walk ends at y_pred: x, w and b are never
        reached, and whatever is fed for x is ignored without a word. A feed cuts the graph. And
        **leave y out**: y_pred can still be fetched, for nothing on that way needs it.
        """
    case "build_and_run":
        build_and_run.show_stage(here)
        """
        In a **static graph** two things happen at two times. The lines of a program *build*: each
        adds operations to a graph, and nothing is computed. Then a session *runs* what it is asked
        to fetch, with what it is fed. (TensorFlow calls the doors through which values enter and
        leave a run `_Arg` and `_Retval`.)

        In **eager mode**, TensorFlow’s way since version 2, there is no graph and no session, and
        nothing to fetch: each line computes as it runs.
        """
        build_and_run.eager()
    case "session":
        if two_sessions.show_stage(here):
            two_sessions.tell()
    case "training":
        training.show_stage(here)
        """
        Each run of the session fetches the loss, both gradients and both updates. The curve is
        computed outside, from w and b. In each cell of the table the number that the article
        printed comes first, and then that of this run, which begins where the article did; what
        differs would be marked.
        """
        article = training.ARTICLE
        trace = runs.trained(article, article.steps, article.learning_rate)
        name = EXPERIMENTS["E7"].article.english
        st.markdown(f"The article is “{name}”. {printed_table.about_the_end(trace)}")
    case "baked_in":
        if baked_in.show_stage(here):
            baked_in.tell()
        """
        This was the first listing of an article. It ran, it printed good numbers, and nobody who
        looked at those could have known that its data could not be changed. (Programs for
        TensorFlow 1 often name the second argument of `session.run`: it is `feed_dict=`.)
        """
    case "updates":
        updates.show_stage(here)
        """
        An **optimiser** is an object that adds the update to the graph, in one call or in two; or
        you write the update yourself, with `assign`. Each listing has the loss of the same straight
        line, y_pred = w·x + b. `between` is what is done to a gradient before it is used: sometimes
        it has to be limited, inspected or replaced. Read what a session runs to update w from the
        bottom up.
        """
        updates.tell(here)
    case "watching":
        watching.show_stage(here)
        """
        Before it runs a graph, TensorFlow’s graph optimiser (not the one that trains) leaves out
        what is not needed and rewrites the rest. What it may rewrite depends on what is fetched:
        a result that is handed out has to exist.
        """
        watching.tell()
    case "paid_once":
        measuring, measured = paid_once.show_stage(here)
        """
        Which is faster depends on how many steps follow. So both parts are timed, for a session
        that runs a graph, for `tf.function`, which **traces** a Python function (runs it once to
        record its operations) and keeps a graph of them, and for the eager modes of TensorFlow and
        PyTorch. All take the same step: predict, find the gradients, update, read the loss. The
        parabola has 2 parameters and 100 points; the two layers have 101,000 weights.
        """
        if measured:
            paid_once.tell(measured, str(st.session_state["first_call"]))
    case "control_flow":
        word = control_flow.show_stage(here)
        """
        A **recurrent cell** reads a word letter by letter: from its state h and the letter x_t it
        makes the next state, each time with the same parameters u, w and b. On the dynamic page
        Python's `for` and `if` see to that, because PyTorch builds its graph while the word is
        read.
        """
        if word:
            control_flow.tell(word)
    case "tf_function":
        name = tf_function.show_stage(here)
        """
        A line that leads to no operation, such as a `print` or this `append`, is a **side effect**
        in Python, and is in no graph. What a session was for is still done, out of sight: the graph
        is pruned, rewritten and placed, and variables keep their values, now as objects of Python.
        Keras compiles its training step in this way.
        """
        if name:
            tf_function.tell(name)
    case "race":
        if race.show_stage(here):
            race.tell(here.controls, training.ARTICLE)
    case "mistakes":
        mistakes.show_stage(here)
        """
        Each mistake is really made, and the error is TensorFlow's own, taken apart phrase by
        phrase.
        """
    case "growing":
        answered = growing.show_stage(here)
        """
        In a loop of TensorFlow 1 a line that looks like arithmetic adds operations to the graph.
        Here `tf.reduce_mean(tf.abs(y_pred - y))`, meant for a log, stands inside the training loop.
        Each loop runs three times, and a point of the picture is the median of these runs and of 25
        neighbouring steps, so that a moment when the server was busy with something else does not
        look like a property of the graph. The clock around a step is left out of the listing.
        """
        if answered:
            growing.tell()
here.controls.say_refused()
shell.close_page(FILE)
if measuring:
    measuring.run()  # when all of the page is there
