"""Hand over to others: lists, trees and data sets of what was kept or removed."""
