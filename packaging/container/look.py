"""Looks at what a container made; packaging/container/test calls it.

    look.py colour IN OUT     OUT has IN's frames, #00b140 for the room, and IN's person
    look.py picture IN OUT    OUT is Y4M of 640x360 at 30, red and blue for the room
    look.py blurred IN OUT    OUT's room is smooth where IN's is not
    look.py masks URL JPEG    what the old client sends is answered as it expects
    look.py status            `greenroom status --json` (standard input): composed frames go out
    look.py compose           the compose files, as docker-compose reads them
"""

import json
import subprocess
import sys
import urllib.request

WIDTH_PX, HEIGHT_PX = 640, 360


def frames(path):
    """All frames of a video as RGB bytes at 640x360."""
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, "-vf", f"scale={WIDTH_PX}:{HEIGHT_PX}",
         "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        stdout=subprocess.PIPE, check=True).stdout
    size = WIDTH_PX * HEIGHT_PX * 3
    # A Y4M that was ended by a signal may not have a whole last frame; ffmpeg drops what is not whole.
    assert raw and len(raw) % size == 0, f"{path}: {len(raw)} bytes"
    return [raw[at:at + size] for at in range(0, len(raw), size)]


def pixel(frame, x, y):
    at = (y * WIDTH_PX + x) * 3
    return tuple(frame[at:at + 3])


def apart(one, other):
    """Mean difference of two pixels' channels, 0 to 255."""
    return sum(abs(a - b) for a, b in zip(one, other)) / 3


def person(frame):
    """The middle of the picture, where the clip's man sits."""
    return [pixel(frame, x, y) for y in range(160, 260, 5) for x in range(280, 360, 5)]


def mean_apart(some, others):
    return sum(apart(a, b) for a, b in zip(some, others)) / len(some)


def colour(source, result):
    before, after = frames(source), frames(result)
    assert len(before) == len(after), f"{len(before)} frames became {len(after)}"
    for a, b in zip(before, after):
        for corner in [(5, 5), (WIDTH_PX - 6, 5)]:
            assert apart(pixel(b, *corner), (0, 0xB1, 0x40)) < 12, f"{corner}: {pixel(b, *corner)}"
        assert mean_apart(person(a), person(b)) < 16, f"the person: {mean_apart(person(a), person(b))}"
    print(f"= {len(after)} frames")


def picture(_source, result):
    with open(result, "rb") as file:
        header = file.readline().split()
    assert {b"W640", b"H360", b"F30:1"} <= set(header), header
    after = frames(result)
    # The placeholder stands at both ends; in between is the picture.
    composed = [f for f in after
                if apart(pixel(f, 5, 5), (255, 0, 0)) < 40 and apart(pixel(f, WIDTH_PX - 6, 5), (0, 0, 255)) < 40]
    assert len(composed) > 10, f"{len(composed)} of {len(after)} frames show red and blue"
    print(f"= {len(composed)} of {len(after)} frames")


def roughness(frame):
    """Mean step from pixel to pixel along the upper left of the room."""
    steps = [apart(pixel(frame, x, y), pixel(frame, x + 1, y)) for y in range(4, 120, 4) for x in range(4, 140)]
    return sum(steps) / len(steps)


def blurred(source, result):
    before, after = frames(source), frames(result)
    raw = min(roughness(f) for f in before)
    rough = max(roughness(f) for f in after)
    assert rough < raw / 4, f"a step of {rough:.2f}, the clip's are {raw:.2f}"
    print(f"= steps of {rough:.2f} at most, {raw:.2f} in the clip")


def masks(url, jpeg):
    with open(jpeg, "rb") as file:
        body = file.read()
    request = urllib.request.Request(url, body, {"Content-Type": "application/octet-stream"})
    # Straight there, whatever proxy this machine has.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        mask = answer.read()
    assert len(mask) == WIDTH_PX * HEIGHT_PX, f"{len(mask)} bytes"
    assert set(mask) == {0, 1}, f"values {sorted(set(mask))}"
    share = sum(mask) / len(mask)
    assert 0.05 < share < 0.9 and mask[200 * WIDTH_PX + 320] == 1 and mask[5 * WIDTH_PX + 5] == 0, share
    print(f"= {share:.0%} of the picture is the person")


def status():
    found = json.load(sys.stdin)
    assert found["frames"]["composed"] > 10 and found["outputs"][0]["written"] > 10, found
    print(f"= {found['frames']['composed']} so far")


def compose():
    import yaml

    def read(*files, **variables):
        command = ["docker-compose"]
        for file in ("compose.yaml",) + files:
            command += ["-f", file]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **variables}
        text = subprocess.run(command + ["--profile", "mask-server", "config"], env=environment, check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        return yaml.safe_load(text)["services"]

    shipped = read()
    camera, server = shipped["greenroom"], shipped["mask-server"]
    assert camera["network_mode"] == "none" and "ports" not in camera
    assert camera["devices"] == ["/dev/video0:/dev/video0", "/dev/video20:/dev/video20"]
    for service in shipped.values():
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and not service.get("privileged")
        assert service["security_opt"] == ["no-new-privileges:true"] and "user" not in service
        assert "deploy" not in service and "runtime" not in service, "starts without a GPU"
    assert all(port.startswith("127.0.0.1:") for port in server["ports"]), server["ports"]
    assert server["profiles"] == ["mask-server"]
    old = {"ACTUAL_CAMERA", "FAKE_CAMERA", "CAMERA_WIDTH", "CAMERA_HEIGHT", "CAMERA_FPS", "IS_VID_BACKGROUND",
           "BACKGROUND_FILE", "EFFECT"}
    assert old <= set(camera["environment"]), old - set(camera["environment"])

    moved = read(ACTUAL_CAMERA="/dev/video2", FAKE_CAMERA="/dev/video9", VIDEO_GID="39", EFFECT="hologram")["greenroom"]
    assert moved["devices"] == ["/dev/video2:/dev/video2", "/dev/video9:/dev/video9"]
    assert moved["group_add"] == ["39"] and moved["environment"]["EFFECT"] == "hologram"
    assert moved["environment"]["ACTUAL_CAMERA"] == "/dev/video2"

    beside = read("compose.mask-server.yaml")["greenroom"]
    assert beside["network_mode"] == "service:mask-server"
    assert beside["environment"]["BODYPIX_URL"] == "http://127.0.0.1:9000"
    away = read("compose.mask-server.yaml", GREENROOM_NETWORK="bridge", BODYPIX_URL="http://192.0.2.7:9000")
    assert away["greenroom"]["network_mode"] == "bridge"
    assert away["greenroom"]["environment"]["BODYPIX_URL"] == "http://192.0.2.7:9000"

    for service in read("compose.gpu.yaml").values():
        device, = service["deploy"]["resources"]["reservations"]["devices"]
        assert device["driver"] == "nvidia" and device["capabilities"] == ["gpu"], device
        assert service["environment"]["GREENROOM_ONNX_PROVIDERS"] == "cuda"
        assert len([v for v in service["volumes"] if v.endswith((":/models:ro", ":/opt/onnx:ro"))]) == 2
    print("= " + json.dumps(sorted(shipped)))


if __name__ == "__main__":
    looks = {"colour": colour, "picture": picture, "blurred": blurred, "masks": masks, "status": status,
             "compose": compose}
    looks[sys.argv[1]](*sys.argv[2:])
