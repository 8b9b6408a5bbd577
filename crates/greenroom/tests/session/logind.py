"""A system bus with a mocked logind, for tests/session.rs: prints the bus's address, then obeys the lines that it reads."""

import os
import subprocess
import sys

import dbus
import dbusmock

SERVICE, PATH = "org.freedesktop.login1", "/org/freedesktop/login1"
MANAGER = "org.freedesktop.login1.Manager"


class Bus(dbusmock.DBusTestCase):
    """A private bus."""


Bus.start_system_bus()
bus = Bus.get_dbus(system_bus=True)


def start():
    """A logind with a session of this user at a seat, and one of another user that is locked for ever."""
    server, logind = Bus.spawn_server_template("logind", {}, stdout=subprocess.DEVNULL)
    sessions = {}
    for name, user in [("c1", os.getuid()), ("c2", os.getuid() + 1)]:
        path = logind.AddSession(name, "seat0", user, name, True, dbus_interface=dbusmock.MOCK_IFACE)
        session = dbus.Interface(bus.get_object(SERVICE, path), "org.freedesktop.login1.Session")
        session.SetLockedHint(name == "c2")
        sessions[name] = session
    return server, logind, sessions["c1"]


server, logind, session = start()
print(os.environ["DBUS_SYSTEM_BUS_ADDRESS"], flush=True)
for line in sys.stdin:
    word = line.strip()
    if word in ("lock", "unlock"):
        session.SetLockedHint(word == "lock")
    elif word in ("sleep", "wake"):
        logind.UpdateProperties(MANAGER, {"PreparingForSleep": word == "sleep"}, dbus_interface=dbusmock.MOCK_IFACE)
        logind.EmitSignal(MANAGER, "PrepareForSleep", "b", [word == "sleep"], dbus_interface=dbusmock.MOCK_IFACE)
    elif word == "inhibitors":
        found = dbus.Interface(logind, MANAGER).ListInhibitors()
        print(*(str(who) for _, who, *_ in found), flush=True)
        continue
    elif word == "restart":
        # A logind that comes back has forgotten that the session is locked, as the real one does.
        server.terminate()
        server.wait()
        server, logind, session = start()
    elif word == "forged-wake":
        # Any program may say so.
        logind.EmitSignal(MANAGER, "PrepareForSleep", "b", [False], dbus_interface=dbusmock.MOCK_IFACE)
        logind.EmitSignal(MANAGER, "PrepareForSleep", "s", ["soon"], dbus_interface=dbusmock.MOCK_IFACE)
    print("done", flush=True)
server.terminate()
server.wait()
Bus.tearDownClass()
