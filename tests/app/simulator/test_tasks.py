"""Forge's bookkeeping, its faults included."""

from app.simulator.tasks import JobState, TaskTable


def test_tasks_wait_in_the_order_they_came() -> None:
    table = TaskTable()
    for task_id in ("a", "b"):
        table.add(task_id)
    assert table.place("a") == "In queue: 1/2"
    assert table.place("b") == "In queue: 2/2"
    table.start("a")
    assert (table.current, table.place("b")) == ("a", "In queue: 1/1")
    table.finish("a")
    assert (table.current, table.place("a")) == (None, "Waiting...")
    assert list(table.finished) == ["a"]


def test_end_of_another_task_leaves_the_current_one() -> None:
    table = TaskTable()
    table.start("a")
    table.finish("b")
    assert table.current == "a"


def test_only_the_last_tasks_are_remembered() -> None:
    table = TaskTable()
    for number in range(20):
        table.finish(str(number))
    assert list(table.finished) == [str(number) for number in range(4, 20)]


def test_fraction_counts_pictures_and_steps() -> None:
    state = JobState()
    assert (state.fraction(), state.elapsed_s()) == (0.0, 0.0)
    state.begin("run")
    assert state.fraction() == 0.0  # the checkpoint loads, nothing is known yet
    state.job_count, state.sampling_steps, state.sampling_step = 2, 10, 5
    assert state.fraction() == 0.25
    state.next_job()
    assert (state.fraction(), state.sampling_step) == (0.5, 0)
    state.end()
    assert (state.fraction(), state.shown()["job"]) == (0.0, "")


def test_new_run_forgets_the_interrupt_of_the_last_one() -> None:
    state = JobState()
    state.begin("first")
    state.interrupted = state.skipped = True
    state.preview_id = 3
    state.begin("second")
    assert not state.shown()["interrupted"]
    assert not state.shown()["skipped"]
    assert (state.latent, state.preview_id, state.run) == (None, 0, 2)
