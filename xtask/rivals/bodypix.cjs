// The mask server of the program that greenroom supersedes, written from its description: a BodyPix network under Node, a JPEG in,
// a byte a pixel out.
//
// node bodypix.cjs MODEL.onnx WIDTH HEIGHT
//
// Prints the port at which it listens.
//
// TensorFlow.js's native runtime cannot be had from npm alone (it fetches its library from elsewhere), so ONNX Runtime runs the
// network, on one thread; libjpeg-turbo and resizing are sharp's.

const http = require("http");
const ort = require("onnxruntime-node");
const sharp = require("sharp");

const [model, ...size] = process.argv.slice(2);
const [width, height] = size.map(Number);
// A probability of 0.7, before the sigmoid.
const THRESHOLD = Math.log(0.7 / 0.3);

async function main() {
  sharp.concurrency(1);
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential" };
  const session = await ort.InferenceSession.create(model, options);
  const input = new Float32Array(3 * width * height);

  async function mask(jpeg) {
    const { width: w, height: h } = await sharp(jpeg).metadata();
    const small = await sharp(jpeg).resize(width, height, { fit: "fill", kernel: "linear" }).removeAlpha().raw().toBuffer();
    const plane = width * height;
    for (let at = 0; at < plane; at++) {
      for (let channel = 0; channel < 3; channel++) {
        input[channel * plane + at] = small[3 * at + channel] / 127.5 - 1;
      }
    }
    const output = await session.run({ input: new ort.Tensor("float32", input, [1, 3, height, width]) });
    const { data, dims } = output.segments;
    return enlarged(data, dims[3], dims[2], w, h);
  }

  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", async () => {
      const body = await mask(Buffer.concat(chunks));
      response.writeHead(200, { "Content-Type": "application/octet-stream" });
      response.end(body);
    });
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
}

// `logits` brought to width x height, bilinear, and compared.
function enlarged(logits, across, down, width, height) {
  const bytes = Buffer.alloc(width * height);
  for (let y = 0; y < height; y++) {
    const row = (y * (down - 1)) / (height - 1);
    const top = Math.min(row | 0, down - 2);
    const below = row - top;
    for (let x = 0; x < width; x++) {
      const column = (x * (across - 1)) / (width - 1);
      const left = Math.min(column | 0, across - 2);
      const right = column - left;
      const at = top * across + left;
      const upper = logits[at] * (1 - right) + logits[at + 1] * right;
      const lower = logits[at + across] * (1 - right) + logits[at + across + 1] * right;
      bytes[y * width + x] = upper * (1 - below) + lower * below > THRESHOLD ? 1 : 0;
    }
  }
  return bytes;
}

main();
