"""The endpoints, by topic; a view checks rights, acts through the rules and shows the outcome."""
