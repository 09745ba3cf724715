"""The screen and its words: what is drawn, asked and read; nothing here knows what a sale is."""
