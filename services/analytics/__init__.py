"""Analytics: tells what happens in the shop, without telling to whom."""
