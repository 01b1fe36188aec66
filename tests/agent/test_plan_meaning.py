import pytest

from agent.planner.meaning import pointed_at, question_about


@pytest.mark.parametrize(
    "request_text",
    [
        "Please translate it",
        "Translate this into French",
        "Convert it to markdown",
        "Could you send them to Bob?",
        "Summarise this text",
        "Переведи это",
        "Пожалуйста, переведи его на английский",
        "请翻译一下",
        "把这个翻译成英文",
    ],
)
def test_a_request_that_names_nothing_points_at_something(request_text):
    assert pointed_at(request_text) is not None
    question = question_about(request_text, pointed_at(request_text))
    assert question.kind == "ask_user"
    assert question.question


@pytest.mark.parametrize(
    "request_text",
    [
        "Translate this: good morning",
        'Fix this sentence "he go"',
        "Note that the plumber comes on Friday",
        "Is it raining?",
        "What is that?",
        "I like it",
        "Fetch this https://example.org",
        "Hello",
        "Show my notes",
        "Переведи слово дом на английский",
        "Сделай заметку, что это важно",
        "你好",
        "你是谁？",
        "请把 letter.txt 翻译成英文",
        "12乘以7是多少？",
        "",
    ],
)
def test_a_request_that_names_what_it_is_about_does_not(request_text):
    assert pointed_at(request_text) is None


def test_the_question_speaks_the_language_of_the_request():
    assert "“it”" in question_about("Translate it", "it").question
    assert "«это»" in question_about("Переведи это", "это").question
    assert question_about("请翻译一下", "").question == "具体是指什么？"
