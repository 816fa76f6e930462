"""What a person looks at and says of images: `explain`, `verdict`, `pin`."""
