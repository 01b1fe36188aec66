"""What was lost is told until a person has seen it."""

from __future__ import annotations

from aura_core.storage.losses import MOST_KEPT, Losses


def test_a_loss_is_kept_through_programs_until_it_was_seen(tmp_path):
    home = tmp_path / "home"
    Losses(home).add("The store was damaged.", home / "aura.db")
    Losses(home).add("The store was damaged.", home / "aura.db")
    Losses(home).add("The notes were damaged.", home / "plans/notes.json")
    assert Losses(home).unseen() == ["The store was damaged.", "The notes were damaged."]
    assert Losses(home).about(home / "plans/notes.json") == "The notes were damaged."
    Losses(home).seen(["The store was damaged."])
    assert Losses(home).unseen() == ["The notes were damaged."]
    Losses(home).seen(["The notes were damaged."])
    assert (Losses(home).unseen(), Losses(home).about(home / "plans/notes.json")) == ([], "")


def test_nothing_is_written_where_nothing_was_lost(tmp_path):
    Losses(tmp_path / "home").seen(["x"])
    assert Losses(tmp_path / "home").unseen() == []
    assert not (tmp_path / "home").exists()


def test_the_list_itself_may_be_damaged_or_unwritable_and_stops_nobody(tmp_path):
    (tmp_path / "losses.json").write_bytes(b"\xff?")
    assert "*.damaged-*" in Losses(tmp_path).unseen()[0]
    (tmp_path / "losses.json").write_text('[1, {"text": "no path"}]')
    assert Losses(tmp_path).unseen() == []
    (tmp_path / "file").write_text("")
    Losses(tmp_path / "file").add("It cannot be kept.", tmp_path)
    assert Losses(tmp_path / "file").unseen() == []


def test_the_list_is_bounded(tmp_path):
    losses = Losses(tmp_path)
    for number in range(MOST_KEPT + 5):
        losses.add(f"loss {number}", tmp_path)
    assert (len(losses.unseen()), losses.unseen()[-1]) == (MOST_KEPT, f"loss {MOST_KEPT + 4}")
