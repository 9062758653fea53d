"""One evaluation from queue to decision, and the schedule that starts it."""
