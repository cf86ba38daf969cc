"""What readers of sounds and pictures with classes share: labels, features, the validation split."""
