class ReadingRoom:
    def __init__(self, logic):
        pass

    def enter(self):
        pass

    def exit(self):
        pass

    def cleanup(self):
        pass

    def show(self):
        pass
