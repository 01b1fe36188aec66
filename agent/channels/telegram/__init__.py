"""The Telegram channel: `bot.run_bot(app)` until it is stopped."""
