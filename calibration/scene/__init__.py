"""What a picture evokes in its viewer: how the scene network is made and measured."""
