use serde::de::Error;
use serde::{Deserialize, Serialize};

use crate::scenes::{SCENE_KEYS, SceneOptions};

/// A change of scene properties. In the JSON, `output` is a key beside the properties.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Object", into = "Object")]
pub struct SetRequest {
    /// The name of the output; all outputs, if it is `None`.
    pub output: Option<String>,
    /// The properties to change: at least one.
    pub options: SceneOptions,
}

type Object = serde_json::Map<String, serde_json::Value>;

impl TryFrom<Object> for SetRequest {
    type Error = serde_json::Error;

    fn try_from(mut object: Object) -> Result<Self, serde_json::Error> {
        let output = object.remove("output").map(serde_json::from_value).transpose()?.flatten();
        object.retain(|key, value| SCENE_KEYS.contains(&key.as_str()) && !value.is_null());
        if object.is_empty() {
            let keys = SCENE_KEYS.join(", ");
            return Err(serde_json::Error::custom(format!("it sets nothing of {keys}")));
        }
        Ok(Self { output, options: serde_json::from_value(object.into())? })
    }
}

impl From<SetRequest> for Object {
    fn from(SetRequest { output, options }: SetRequest) -> Self {
        let mut object = match serde_json::to_value(options) {
            Ok(serde_json::Value::Object(object)) => object,
            _ => Self::new(),
        };
        object.extend(output.map(|output| ("output".to_owned(), output.into())));
        object
    }
}

#[cfg(test)]
impl schemars::JsonSchema for SetRequest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SetRequest".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = SceneOptions::json_schema(generator);
        let output = schemars::json_schema!({
            "description": "The name of the output; all outputs, if it is missing.",
            "type": ["string", "null"],
        });
        let object = schema.ensure_object();
        object.remove("additionalProperties");
        object.insert("minProperties".to_owned(), 1.into());
        if let Some(serde_json::Value::Object(properties)) = object.get_mut("properties") {
            properties.insert("output".to_owned(), output.into());
        }
        schema
    }
}
