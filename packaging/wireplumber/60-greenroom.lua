-- Hides the second appearance of greenroom's virtual camera in PipeWire: WirePlumber makes a node "greenroom (V4L2)" of the
-- v4l2loopback device. WirePlumber 0.4 reads this file, which a package installs in /usr/share/wireplumber/main.lua.d;
-- later versions read 60-greenroom.conf.
--
-- It matches nodes of v4l2loopback with greenroom's usual label ("greenroom", "greenroom 2"), and nothing else. To have
-- the node back, put an empty file of this name into ~/.config/wireplumber/main.lua.d.
table.insert (v4l2_monitor.rules, {
  matches = {
    {
      { "api.v4l2.cap.driver", "equals", "v4l2 loopback" },
      { "api.v4l2.cap.card", "equals", "greenroom" },
    },
    -- Patterns here have no classes: ? is one character.
    {
      { "api.v4l2.cap.driver", "equals", "v4l2 loopback" },
      { "api.v4l2.cap.card", "matches", "greenroom ?" },
    },
    {
      { "api.v4l2.cap.driver", "equals", "v4l2 loopback" },
      { "api.v4l2.cap.card", "matches", "greenroom ??" },
    },
  },
  apply_properties = {
    ["node.disabled"] = true,
  },
})
