"""The body: microphone, loudspeaker, lamp, button and the health of the device."""
