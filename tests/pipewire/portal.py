"""Backends of xdg-desktop-portal. Access and Lockdown answer yes to every question. ScreenCast answers what is in the file
`screen-answer`: "yes NODE", "no", or "wait" (never); it notes each call in screen-calls.jsonl. `Revoke` of org.greenroom.Stub
ends what it shows."""

import json
import pathlib

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

ACCESS = "org.freedesktop.impl.portal.Access"
LOCKDOWN = "org.freedesktop.impl.portal.Lockdown"
SCREENS = "org.freedesktop.impl.portal.ScreenCast"
SESSION = "org.freedesktop.impl.portal.Session"
REQUEST = "org.freedesktop.impl.portal.Request"
PROPERTIES = "org.freedesktop.DBus.Properties"
LOCKED = ["printing", "save-to-disk", "application-handlers", "location", "camera", "microphone", "sound-output"]
NUMBERS = {"version": 4, "AvailableSourceTypes": 7, "AvailableCursorModes": 7}
shown = []


def note(call, **what):
    with open("screen-calls.jsonl", "a") as log:
        log.write(json.dumps({"call": call, **what}) + "\n")


class Session(dbus.service.Object):
    @dbus.service.method(SESSION)
    def Close(self):
        note("Session.Close")
        self.remove()

    @dbus.service.signal(SESSION)
    def Closed(self):
        pass

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return {"version": dbus.UInt32(1)}

    def remove(self):
        if self in shown:
            shown.remove(self)
            self.remove_from_connection()


class Request(dbus.service.Object):
    @dbus.service.method(REQUEST)
    def Close(self):
        note("Request.Close")


class Backend(dbus.service.Object):
    @dbus.service.method(ACCESS, in_signature="osssssa{sv}", out_signature="ua{sv}")
    def AccessDialog(self, handle, app, parent, title, subtitle, body, options):
        return 0, {}

    @dbus.service.method(SCREENS, in_signature="oosa{sv}", out_signature="ua{sv}")
    def CreateSession(self, handle, session, app, options):
        shown.append(Session(bus, session))
        return 0, {}

    @dbus.service.method(SCREENS, in_signature="oosa{sv}", out_signature="ua{sv}")
    def SelectSources(self, handle, session, app, options):
        numbers = {name: int(options[name]) for name in ("types", "cursor_mode", "persist_mode")}
        note("SelectSources", restores="restore_data" in options, **numbers)
        return 0, {}

    @dbus.service.method(
        SCREENS, in_signature="oossa{sv}", out_signature="ua{sv}", async_callbacks=("answers", "fails")
    )
    def Start(self, handle, session, app, parent, options, answers, fails):
        note("Start")
        answer, *node = pathlib.Path("screen-answer").read_text().split()
        if answer == "wait":
            Request(bus, handle)
        elif answer == "no":
            answers(1, {})
        else:
            stream = (dbus.UInt32(node[0]), dbus.Dictionary({"source_type": dbus.UInt32(1)}, signature="sv"))
            restore = dbus.Struct(("stub", dbus.UInt32(1), dbus.String("this one", variant_level=1)), signature="suv")
            results = {"streams": dbus.Array([stream], signature="(ua{sv})"), "persist_mode": dbus.UInt32(2)}
            answers(0, {**results, "restore_data": restore})

    @dbus.service.method("org.greenroom.Stub")
    def Revoke(self):
        for session in list(shown):
            session.Closed()
            session.remove()

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return dbus.UInt32(NUMBERS[name]) if interface == SCREENS else False

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        if interface == SCREENS:
            return {name: dbus.UInt32(number) for name, number in NUMBERS.items()}
        names = [f"disable-{what}" for what in LOCKED] if interface == LOCKDOWN else []
        return dbus.Dictionary({name: dbus.Boolean(False) for name in names}, signature="sv")


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()
name = dbus.service.BusName("org.freedesktop.impl.portal.desktop.stub", bus)
Backend(bus, "/org/freedesktop/portal/desktop")
GLib.MainLoop().run()
