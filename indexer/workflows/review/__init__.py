"""How a person reviews images and decides about them: `explain`, `verdict`, `pin`."""
