"""What terminals tell: kept by day, judged each hour, and acted on by nobody but the brake."""
