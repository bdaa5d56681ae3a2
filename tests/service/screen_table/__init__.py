"""Who may open what among the screens: a file an area, held to by `test_screen_walls`."""
