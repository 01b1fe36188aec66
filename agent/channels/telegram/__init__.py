"""The Telegram channel: `bot.run_bot(app)` until it is stopped.

In: `polling` fetches an update, `update_queue` stores it and has it handled in the order of its chat, and `updates`
says what it means: a command (`commands`), an answer (`asking`) or a request, with its `files`.

Out: answers (`transport`), questions (`asking`) and progress (`live_cards`, drawn by `card`) go through `sending`,
which waits for its turn (`rate_limiter`) and sends a message once per key, whatever fails (`failures`).

`records` keeps what must survive a restart; `text` and `destination` say what a message and a place are.
"""
