// A USB camera played by a program: a UVC 1.0 device on gadgetfs, for the kernel's uvcvideo on the other end.
//
//   camera GADGETFS [--serial TEXT] [--name TEXT] [--fps N] [--corrupt-every N] [--silent]
//          --mjpeg WIDTHxHEIGHT=FILE ... --yuyv WIDTHxHEIGHT=FILE ...
//
// GADGETFS is where that file system is mounted, on top of dummy_hcd. The camera is plugged in while the program runs;
// to pull it out, in mid-stream or not, end the program in any way. FILE holds JPEG pictures one behind the other (as
// `ffmpeg -f mjpeg` writes them), or raw frames; they are sent in a loop. `--corrupt-every N` spoils every Nth frame
// (cut off, garbled, without its head, in turns), `--silent` starts streams and never sends a frame; SIGUSR2 turns
// silence on and off.
//
// Why not the kernel's own usb_f_uvc: it streams over isochronous endpoints only, and dummy_hcd has none ("we don't
// support them"), so that it cannot even be bound there. Here the stream is a bulk endpoint, which UVC allows as well.
// A payload is a whole frame behind a header of two bytes. The host never says that it stops a bulk stream: it just
// takes no more. So each frame comes after a header alone that belongs to the frame before: once that is taken, somebody
// listens, and no frame is left lying for whoever starts the next stream. One that is not taken for three seconds ends
// the stream until the next start.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/types.h>
#include <linux/usb/ch9.h>
#include <linux/usb/gadgetfs.h>
#include <linux/usb/video.h>

#include "modes.h"

enum { PROBE_BYTES = 26, PATIENCE_MS = 3000 };

static const char *folder, *product = "Greenroom Test Camera", *serial = "0001";
static int corrupt_every;
static volatile sig_atomic_t silent;

// What the control side tells the feeding thread.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const struct mode *streamed; // none: no stream
static int endpoint = -1;
static struct timespec writing_since; // zero: nothing is being written
static pthread_t feeder;
static unsigned long sent, spoiled;

// Opens gadgetfs's control file and tells it who we are: from then on the camera is plugged in.
static int plug_in(void) {
    char path[256];
    snprintf(path, sizeof path, "%s/dummy_udc", folder);
    int control = open(path, O_RDWR);
    if (control < 0) fail(path);
    struct bytes all = {0};
    put(&all, "4", 0);
    put_configuration(&all, false);
    put_configuration(&all, true);
    put(&all, "112111122211" "11", 18, USB_DT_DEVICE, 0x0200, USB_CLASS_MISC, 2, 1, 64, 0x1d6b, 0x0102, 0x0100, 1, 2, 3, 1);
    if (write(control, all.data, all.length) != (ssize_t)all.length) fail("the descriptors are refused");
    return control;
}

// ---- the stream

static bool is_writing(void) { return writing_since.tv_sec != 0; }

static long since_ms(const struct timespec *then) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
}

// Takes back a frame that is being written. Called with the lock held.
static void cancel_write(void) {
    while (is_writing()) {
        // A signal that comes just before write() is lost: again until it has worked.
        pthread_kill(feeder, SIGUSR1);
        pthread_mutex_unlock(&lock);
        usleep(5000);
        pthread_mutex_lock(&lock);
    }
}

static void start_stream(const struct mode *mode) {
    pthread_mutex_lock(&lock);
    if (streamed != mode) cancel_write();
    streamed = mode;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void close_endpoint(void) {
    pthread_mutex_lock(&lock);
    streamed = NULL;
    cancel_write();
    if (endpoint >= 0) close(endpoint);
    endpoint = -1;
    pthread_mutex_unlock(&lock);
}

static void open_endpoint(void) {
    close_endpoint();
    char path[256];
    snprintf(path, sizeof path, "%s/ep1in-bulk", folder);
    int opened = open(path, O_RDWR);
    if (opened < 0) fail(path);
    struct bytes setup = {0};
    put(&setup, "4", 1);
    put_endpoint(&setup, false);
    put_endpoint(&setup, true);
    if (write(opened, setup.data, setup.length) != (ssize_t)setup.length) fail("the endpoint is refused");
    endpoint = opened;
}

// Picture `number` of the mode behind its header; the length of both.
static size_t make_payload(const struct mode *mode, unsigned long number, uint8_t *payload) {
    size_t begin = mode->starts[number % mode->count], end = mode->starts[number % mode->count + 1];
    size_t length = end - begin;
    payload[0] = HEADER_BYTES;
    payload[1] = UVC_STREAM_EOH | UVC_STREAM_EOF | (number & 1 ? UVC_STREAM_FID : 0);
    uint8_t *picture = payload + HEADER_BYTES;
    memcpy(picture, mode->data + begin, length);
    if (corrupt_every && number % corrupt_every == (unsigned)corrupt_every - 1) {
        switch (spoiled++ % 3) {
        case 0: length /= 2; break;
        case 1: for (size_t i = length / 3; i < length / 2; i++) picture[i] = i * 167 + 13; break;
        case 2: memset(picture, 0, length < 200 ? length : 200); break;
        }
    }
    // A payload ends with a packet that is not full.
    if ((HEADER_BYTES + length) % 512 == 0) picture[length++] = 0;
    return HEADER_BYTES + length;
}

static void *feed(void *unused) {
    (void)unused;
    static uint8_t payload[4 << 20];
    for (unsigned long number = 0;; number++) {
        usleep(1000000 / fps);
        pthread_mutex_lock(&lock);
        while (!streamed) pthread_cond_wait(&changed, &lock);
        size_t length = make_payload(streamed, number, payload);
        int to = endpoint;
        if (!silent) clock_gettime(CLOCK_MONOTONIC, &writing_since);
        pthread_mutex_unlock(&lock);
        if (silent) continue;
        uint8_t knock[HEADER_BYTES] = {HEADER_BYTES, UVC_STREAM_EOH | (number & 1 ? 0 : UVC_STREAM_FID)};
        ssize_t written = write(to, knock, HEADER_BYTES);
        if (written == HEADER_BYTES) written = write(to, payload, length);
        int error = errno;
        pthread_mutex_lock(&lock);
        writing_since.tv_sec = 0;
        if (written == (ssize_t)length) {
            if (++sent == 1 || sent % 100 == 0) say("%lu frames sent, %lu of them spoiled", sent, spoiled);
        } else if (written >= 0 || error != EINTR) {
            say("frame %lu not taken: %s", number, written < 0 ? strerror(error) : "short");
            streamed = NULL;
        }
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

// ---- control requests

static uint8_t probe[PROBE_BYTES];

static const struct mode *probed_mode(void) {
    for (int i = 0; i < mode_count; i++)
        if (modes[i].format_index == probe[2] && modes[i].frame_index == probe[3]) return &modes[i];
    return &modes[0];
}

// What the host wants, made into what there is.
static void settle_probe(const uint8_t *wanted, size_t length) {
    if (length >= 4) memcpy(probe, wanted, 4);
    const struct mode *mode = probed_mode();
    struct bytes answer = {0};
    put(&answer, "2114" "22222" "44", 1, mode->format_index, mode->frame_index, frame_interval(), 0, 0, 0, 0, 0,
        (unsigned)mode->most_bytes, (unsigned)mode->most_bytes + HEADER_BYTES + 1);
    memcpy(probe, answer.data, PROBE_BYTES);
}

// Answers with `length` bytes, or refuses with none; a request without data is acknowledged by a read of nothing.
static void answer(int control, const void *data, size_t length) {
    ssize_t done;
    // Refusing is done by the "wrong" call: read() where an answer is expected. "Identifier removed" says that the host
    // has asked again meanwhile: the answer is wanted all the more.
    do done = length ? write(control, data, length) : read(control, &done, 0);
    while (done < 0 && errno == EIDRM && length);
    if (done < 0 && errno != EL2HLT && errno != EIDRM) say("an answer failed: %s", strerror(errno));
}

static void answer_string(int control, int index) {
    const char *texts[] = {"", "greenroom", product, serial};
    struct bytes string = {0};
    put(&string, "11", 4, USB_DT_STRING);
    if (index == 0) put(&string, "2", 0x0409);
    if (index > 3) return answer(control, NULL, 0);
    for (const char *at = texts[index]; *at; at++) put(&string, "2", *at);
    string.data[0] = string.length;
    answer(control, string.data, string.length);
}

// A read of or a write to the streaming interface's probe or commit control.
static void stream_request(int control, const struct usb_ctrlrequest *setup) {
    int selector = setup->wValue >> 8;
    bool known = selector == UVC_VS_PROBE_CONTROL || selector == UVC_VS_COMMIT_CONTROL;
    if (setup->bRequestType & USB_DIR_IN) {
        uint8_t length[2] = {PROBE_BYTES, 0}, info = 3;
        switch (known ? setup->bRequest : 0) {
        case UVC_GET_LEN: return answer(control, length, 2);
        case UVC_GET_INFO: return answer(control, &info, 1);
        case UVC_GET_CUR: case UVC_GET_MIN: case UVC_GET_MAX: case UVC_GET_DEF:
            return answer(control, probe, PROBE_BYTES);
        default: return answer(control, NULL, 0);
        }
    }
    uint8_t wanted[64];
    ssize_t length = read(control, wanted, sizeof wanted);
    if (length < 0) {
        // The host has gone on to its next request, and gadgetfs has thrown the data away. That request is nearly
        // always "what did you settle on": it is answered here, its event again when it is read. With one mode there
        // is nothing to get wrong by this.
        say("a setting came too fast: %s", strerror(errno));
        if (selector == UVC_VS_PROBE_CONTROL) return answer(control, probe, PROBE_BYTES);
    }
    if (!known) return;
    if (length > 0) settle_probe(wanted, length);
    if (selector == UVC_VS_COMMIT_CONTROL) {
        const struct mode *mode = probed_mode();
        say("stream of %s %dx%d starts", mode->mjpeg ? "MJPG" : "YUYV", mode->width_px, mode->height_px);
        start_stream(mode);
    }
}

static void request(int control, const struct usb_ctrlrequest *setup) {
    bool to_host = setup->bRequestType & USB_DIR_IN;
    if ((setup->bRequestType & USB_TYPE_MASK) == USB_TYPE_CLASS && (setup->wIndex & 0xff) == 1)
        return stream_request(control, setup);
    if (setup->bRequestType == USB_DIR_IN && setup->bRequest == USB_REQ_GET_DESCRIPTOR)
        return answer_string(control, setup->wValue & 0xff);
    if (setup->bRequestType == 0 && setup->bRequest == USB_REQ_SET_CONFIGURATION) {
        if (setup->wValue) open_endpoint(); else close_endpoint();
        return answer(control, NULL, 0);
    }
    if (setup->bRequestType == USB_RECIP_INTERFACE && setup->bRequest == USB_REQ_SET_INTERFACE)
        return answer(control, NULL, 0);
    uint8_t refused;
    if (to_host) answer(control, NULL, 0);
    else if (setup->wLength) (void)!read(control, &refused, 1);
    else (void)!write(control, &refused, 1);
}

static void serve(int control) {
    for (;;) {
        struct pollfd waiting = {.fd = control, .events = POLLIN};
        int ready = poll(&waiting, 1, 500);
        pthread_mutex_lock(&lock);
        if (is_writing() && since_ms(&writing_since) > PATIENCE_MS) {
            say("nobody takes the frames");
            streamed = NULL;
            cancel_write();
        }
        pthread_mutex_unlock(&lock);
        if (ready <= 0) continue;
        struct usb_gadgetfs_event event;
        ssize_t length = read(control, &event, sizeof event);
        if (length < 0 && (errno == EINTR || errno == EAGAIN || errno == EIDRM)) continue;
        if (length != sizeof event) fail("no events any more");
        switch (event.type) {
        case GADGETFS_SETUP: request(control, &event.u.setup); break;
        case GADGETFS_CONNECT: say("connected"); break;
        case GADGETFS_DISCONNECT: say("disconnected"); close_endpoint(); break;
        default: break;
        }
    }
}

// ---- the command line

static void on_signal(int number) {
    if (number == SIGUSR2) silent = !silent;
}

int main(int argc, char **argv) {
    folder = argc > 1 ? argv[1] : "";
    for (int i = 2; i < argc; i++) {
        const char *option = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(option, "--silent")) { silent = 1; continue; }
        if (!strcmp(option, "--mjpeg")) add_mode(true, value);
        else if (!strcmp(option, "--yuyv")) add_mode(false, value);
        else if (!strcmp(option, "--serial")) serial = value;
        else if (!strcmp(option, "--name")) product = value;
        else if (!strcmp(option, "--fps")) fps = atoi(value);
        else if (!strcmp(option, "--corrupt-every")) corrupt_every = atoi(value);
        else { say("what is %s?", option); return 2; }
        i++;
    }
    if (!mode_count || fps < 1) { say("nothing to show: name --mjpeg or --yuyv, and --fps above 0"); return 2; }
    // Without SA_RESTART: a signal ends a write.
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    int control = plug_in();
    settle_probe(NULL, 0);
    if (pthread_create(&feeder, NULL, feed, NULL)) fail("no thread");
    // gadgetfs loses a setting that is not fetched before the host's next request: nobody may keep us from fetching it.
    // (It still happens when a busy machine stops one of the guest's processors: 3 in 320 settings at a load of 8.)
    struct sched_param first = {.sched_priority = 50};
    pthread_setschedparam(pthread_self(), SCHED_FIFO, &first);
    mlockall(MCL_CURRENT | MCL_FUTURE);
    say("plugged in as \"%s\", serial number %s", product, serial);
    serve(control);
}
