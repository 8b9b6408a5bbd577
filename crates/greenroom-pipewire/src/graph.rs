//! What PipeWire's registry tells of other programs, as far as it concerns who watches.

use std::collections::{BTreeMap, BTreeSet};

use pipewire::types::ObjectType;

/// Nodes, links and clients, by the registry's numbers.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    nodes: BTreeMap<u32, NodeFacts>,
    /// Output node and input node of each link.
    links: BTreeMap<u32, (u32, u32)>,
    clients: BTreeMap<u32, ClientFacts>,
}

#[derive(Debug)]
struct NodeFacts {
    name: String,
    is_camera: bool,
    client: Option<u32>,
}

/// A program that is connected to PipeWire. All but `peer_pid` is what it says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ClientFacts {
    /// The process at the other end of the socket, by the kernel: the portal's, for those it lets in.
    pub(crate) peer_pid: Option<u32>,
    /// The process number that it gives.
    pub(crate) own_pid: Option<u32>,
    /// The name of its program's file.
    pub(crate) binary: Option<String>,
    /// Its name for people.
    pub(crate) name: Option<String>,
    /// Whether it was asked for the above: the registry alone does not have all of it.
    pub(crate) is_complete: bool,
}

impl ClientFacts {
    /// Takes what its properties say.
    pub(crate) fn read<'a>(get: impl Fn(&str) -> Option<&'a str>, is_complete: bool) -> Self {
        let pid = |key| get(key).and_then(|text| text.parse().ok());
        let text = |key| get(key).filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            peer_pid: pid("pipewire.sec.pid"),
            own_pid: pid("application.process.id"),
            binary: text("application.process.binary"),
            name: text("pipewire.access.portal.app_id").or_else(|| text("application.name")),
            is_complete,
        }
    }
}

/// The kinds of objects that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Node,
    Link,
    Client,
}

impl Kind {
    /// The kind of an object of this type, if it matters.
    pub(crate) fn of(of: &ObjectType) -> Option<Self> {
        match of {
            ObjectType::Node => Some(Self::Node),
            ObjectType::Link => Some(Self::Link),
            ObjectType::Client => Some(Self::Client),
            _ => None,
        }
    }
}

impl Graph {
    /// An object has come.
    pub(crate) fn add<'a>(&mut self, id: u32, kind: Kind, get: impl Fn(&str) -> Option<&'a str>) {
        let number = |key| get(key).and_then(|text| text.parse().ok());
        match kind {
            Kind::Node => {
                let name = get("node.name").unwrap_or_default().to_owned();
                let is_camera = get("media.class") == Some("Video/Source");
                let client = number("client.id");
                self.nodes.insert(id, NodeFacts { name, is_camera, client });
            }
            Kind::Link => {
                if let (Some(output), Some(input)) =
                    (number("link.output.node"), number("link.input.node"))
                {
                    self.links.insert(id, (output, input));
                }
            }
            Kind::Client => {
                self.clients.insert(id, ClientFacts::read(get, false));
            }
        }
    }

    /// An object has gone.
    pub(crate) fn remove(&mut self, id: u32) {
        self.nodes.remove(&id);
        self.links.remove(&id);
        self.clients.remove(&id);
    }

    /// A client has told of itself.
    pub(crate) fn complete(&mut self, client: u32, facts: ClientFacts) {
        if let Some(known) = self.clients.get_mut(&client) {
            *known = facts;
        }
    }

    /// Whose camera is called `name`: what is known of the client, if anything.
    pub(crate) fn camera_called(&self, name: &str) -> Option<Option<&ClientFacts>> {
        let mut nodes = self.nodes.values();
        let node = nodes.find(|node| node.is_camera && node.name == name)?;
        Some(node.client.and_then(|client| self.clients.get(&client)))
    }

    /// The clients that `node` is linked to.
    pub(crate) fn readers_of(&self, node: u32) -> BTreeSet<u32> {
        let links = self.links.values().filter(|(output, _)| *output == node);
        links.filter_map(|(_, input)| self.nodes.get(input)?.client).collect()
    }

    /// The nodes that are linked to `node`, which takes from them.
    pub(crate) fn sources_of(&self, node: u32) -> impl Iterator<Item = u32> {
        let links = self.links.values().filter(move |(_, input)| *input == node);
        links.map(|(output, _)| *output)
    }

    /// What is known of `client`.
    pub(crate) fn client(&self, client: u32) -> Option<&ClientFacts> {
        self.clients.get(&client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(graph: &mut Graph, id: u32, kind: Kind, properties: &[(&str, &'static str)]) {
        graph.add(id, kind, |key| {
            properties.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
        });
    }

    #[test]
    fn readers_are_those_who_are_linked() {
        let mut graph = Graph::default();
        add(&mut graph, 7, Kind::Client, &[("pipewire.sec.pid", "77")]);
        add(&mut graph, 8, Kind::Client, &[("pipewire.sec.pid", "88")]);
        let camera = [("node.name", "greenroom"), ("media.class", "Video/Source")];
        add(&mut graph, 40, Kind::Node, &camera);
        add(&mut graph, 41, Kind::Node, &[("client.id", "7")]);
        add(&mut graph, 42, Kind::Node, &[("client.id", "8")]);
        assert!(graph.readers_of(40).is_empty());
        add(&mut graph, 50, Kind::Link, &[("link.output.node", "40"), ("link.input.node", "41")]);
        add(&mut graph, 51, Kind::Link, &[("link.output.node", "39"), ("link.input.node", "42")]);
        assert_eq!(graph.readers_of(40), [7].into());
        assert!(graph.sources_of(41).eq([40]) && graph.sources_of(40).next().is_none());
        assert_eq!(graph.client(7).unwrap().peer_pid, Some(77));
        graph.remove(50);
        assert!(graph.readers_of(40).is_empty());
    }

    #[test]
    fn a_name_is_taken_by_cameras_alone() {
        let mut graph = Graph::default();
        add(&mut graph, 40, Kind::Node, &[("node.name", "greenroom"), ("media.class", "Stream")]);
        assert_eq!(graph.camera_called("greenroom"), None);
        let camera = [("node.name", "greenroom"), ("media.class", "Video/Source")];
        add(&mut graph, 41, Kind::Node, &camera);
        assert_eq!(graph.camera_called("greenroom"), Some(None));
        assert_eq!(graph.camera_called("other"), None);
    }
}
