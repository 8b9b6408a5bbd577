"""The backends Access and Lockdown of xdg-desktop-portal, which answer yes to every question."""

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

ACCESS = "org.freedesktop.impl.portal.Access"
LOCKDOWN = "org.freedesktop.impl.portal.Lockdown"
PROPERTIES = "org.freedesktop.DBus.Properties"
LOCKED = ["printing", "save-to-disk", "application-handlers", "location", "camera", "microphone", "sound-output"]


class Backend(dbus.service.Object):
    @dbus.service.method(ACCESS, in_signature="osssssa{sv}", out_signature="ua{sv}")
    def AccessDialog(self, handle, app, parent, title, subtitle, body, options):
        return 0, {}

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return False

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        names = [f"disable-{what}" for what in LOCKED] if interface == LOCKDOWN else []
        return dbus.Dictionary({name: dbus.Boolean(False) for name in names}, signature="sv")


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()
name = dbus.service.BusName("org.freedesktop.impl.portal.desktop.stub", bus)
Backend(bus, "/org/freedesktop/portal/desktop")
GLib.MainLoop().run()
