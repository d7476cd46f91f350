"""What is agreed before there is an order: quotes, offers, and the stock that they hold."""
