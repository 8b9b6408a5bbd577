// A consumer of a virtual camera that judges every frame as it comes. It shares no code with greenroom, so that a fault
// of ours in reading V4L2 cannot hide one in serving it.
//
//   consume NODE --mmap|--read|--chromium [--frames N] [--until CLASS:N] [--patience SECONDS]
//           [--hold-format FOURCC:WxH] [--wait SECONDS] [--room Y,U,V] [--background Y,U,V] [--tolerance N] [--quiet]
//   consume --pipe FOURCC:WxH ... judges raw frames from another program's pipe the same way.
//
// It prints a line for each frame: its number, the driver's sequence number (mmap), the time (CLOCK_MONOTONIC), its
// bytes, its class, how many pixels are the room's colour and the background's, a checksum, so that a picture that
// stands still can be told, and (mmap) the driver's time stamp and the frame's age by it. Classes: `composed` (at least 99 % the background's colour, not one pixel the room's),
// `placeholder` (greenroom's own: dark rows, each of one colour, light text in the middle third), `other`.
//
// --until composed:5 ends it well after five such frames in a row, --frames after so many of any kind; SIGTERM and
// SIGINT end it too. --patience says how long it waits for one frame (60 s). --hold-format sets the format and asks for
// buffers before anybody writes, says `holding`, keeps the node open, and streams as soon as the driver lets it.
// --quiet prints a frame's line only when its class is another than the one before.
//
// --chromium is --mmap with the patience of Chromium's video capture: a second for one frame; then it stops the stream,
// gives its buffers back and begins anew, says `restart`, and gives up after ten seconds in a row without a frame, or
// when the driver refuses one of those calls. --wait stays for so long between asking for buffers and STREAMON.
//
// Exit code: 0 all is well, 2 wrong arguments, 3 the stream ended or never began (errno is printed), 4 a pixel of the
// room was in some frame (a line LEAK for each such frame; it reads on to the end).

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "picture.h"

static const char *const class_names[CLASSES] = {"composed", "placeholder", "other"};

struct options {
    const char *node;
    bool mmap, read, pipe, quiet, chromium;
    int wait_s;
    long frames;      // 0: no end
    int until;        // a class; CLASSES: none
    long until_count;
    int patience_s;
    struct v4l2_pix_format format; // of a pipe, or to hold; empty: take the format as it is
    struct search search;
};

struct tally {
    long frames, of_class[CLASSES], leaks, gaps, in_a_row;
    int last_class;
    long last_sequence;
    double last_at, longest_wait_s; // times at which frames were had
    long restarts;
};

static struct options options = {
    .until = CLASSES,
    .patience_s = 60,
    .search = {.room.y = -1, .background.y = -1, .tolerance = 12},
};
static struct tally tally = {.last_class = CLASSES, .last_sequence = -1};
static struct v4l2_pix_format format;
static size_t map_bytes; // of each buffer
static volatile sig_atomic_t stopped;

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

// ---- judging

// Judges one frame and prints its line. False: the run is over, all is well.
static bool judge(const uint8_t *data, size_t length, long sequence, double stamp) {
    double at = now_s();
    if (tally.frames && at - tally.last_at > tally.longest_wait_s) tally.longest_wait_s = at - tally.last_at;
    tally.last_at = at;
    struct picture picture = look_at(data, length, &format, &options.search);
    int class = picture.class;
    if (sequence >= 0 && tally.last_sequence >= 0 && sequence > tally.last_sequence + 1)
        tally.gaps += sequence - tally.last_sequence - 1;
    tally.last_sequence = sequence;
    tally.in_a_row = class == tally.last_class ? tally.in_a_row + 1 : 1;
    if (!options.quiet || class != tally.last_class || picture.room)
        printf("frame %ld seq %ld at %.6f bytes %zu %s room %ld background %.1f%% sum %016lx stamp %.6f age %.6f\n",
               tally.frames, sequence, at, length, class_names[class], picture.room,
               100.0 * picture.background / picture.pixels, picture.sum, stamp, stamp > 0 ? at - stamp : 0.0);
    if (picture.room) {
        printf("LEAK in frame %ld: %ld pixels of the room\n", tally.frames, picture.room);
        tally.leaks++;
    }
    tally.last_class = class;
    tally.of_class[class]++;
    tally.frames++;
    if (options.until == class && tally.in_a_row >= options.until_count) return false;
    return !options.frames || tally.frames < options.frames;
}

static int sum_up(int code) {
    printf("%ld frames: %ld composed, %ld placeholder, %ld other; %ld with a leak; %ld passed over by the driver; "
           "longest wait %.3f s; %ld restarts\n",
           tally.frames, tally.of_class[COMPOSED], tally.of_class[PLACEHOLDER], tally.of_class[OTHER], tally.leaks,
           tally.gaps, tally.longest_wait_s, tally.restarts);
    return tally.leaks ? 4 : code;
}

// ---- the device

static int ended(const char *where) {
    // A signal asks us to end: that is no fault of the stream.
    if (stopped) return sum_up(0);
    int error = errno;
    printf("ENDED at %s: %s (errno %d) at %.6f\n", where, strerror(error), error, now_s());
    return sum_up(3);
}

static int control(int node, unsigned long request, void *argument) {
    int answer;
    do answer = ioctl(node, request, argument);
    while (answer < 0 && errno == EINTR && !stopped);
    return answer;
}

// Until a frame is there. False: ended, errno tells how.
static bool wait_frame(int node) {
    struct pollfd waiting = {.fd = node, .events = POLLIN};
    int ready, patience_ms = options.chromium ? 1000 : options.patience_s * 1000;
    do ready = poll(&waiting, 1, patience_ms);
    while (ready < 0 && errno == EINTR && !stopped);
    if (ready == 0) errno = ETIMEDOUT;
    if (ready > 0 && stopped) return errno = EINTR, false;
    return ready > 0;
}

// A whole frame: a node gives one a call, a pipe in pieces.
static ssize_t read_frame(int node, uint8_t *frame, size_t most) {
    size_t have = 0;
    do {
        ssize_t length = read(node, frame + have, most - have);
        if (length < 0 && errno == EINTR && !stopped) continue;
        if (length == 0) errno = 0;
        if (length <= 0 || stopped) return -1;
        have += length;
    } while (options.pipe && have < most);
    return have;
}

static int stream_by_read(int node) {
    size_t tight = frame_bytes(&format), most = format.sizeimage > tight ? format.sizeimage : tight;
    uint8_t *frame = malloc(most);
    for (;;) {
        ssize_t length = read_frame(node, frame, most);
        if (length < 0) return ended("read");
        if (!judge(frame, length, -1, 0)) return sum_up(0);
    }
}

// Asks for buffers, maps and queues them; the count, or -1.
static int map_buffers(int node, void **maps) {
    struct v4l2_requestbuffers wanted = {.count = 4, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
    if (control(node, VIDIOC_REQBUFS, &wanted) < 0) return -1;
    if (wanted.count == 0) return errno = ENOMEM, -1;
    for (unsigned index = 0; index < wanted.count && index < VIDEO_MAX_FRAME; index++) {
        struct v4l2_buffer buffer = {.index = index, .type = wanted.type, .memory = wanted.memory};
        if (control(node, VIDIOC_QUERYBUF, &buffer) < 0) return -1;
        maps[index] = mmap(NULL, buffer.length, PROT_READ, MAP_SHARED, node, buffer.m.offset);
        if (maps[index] == MAP_FAILED) return -1;
        map_bytes = buffer.length;
        if (control(node, VIDIOC_QBUF, &buffer) < 0) return -1;
    }
    return wanted.count;
}

// Stops the stream, gives the buffers back and begins anew, as Chromium does. NULL, or the call that failed.
static const char *restart(int node, void **maps, int *count) {
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    struct v4l2_requestbuffers none = {.count = 0, .type = type, .memory = V4L2_MEMORY_MMAP};
    tally.restarts++;
    printf("restart at %.6f\n", now_s());
    if (control(node, VIDIOC_STREAMOFF, &type) < 0) return "STREAMOFF";
    for (int index = 0; index < *count; index++) munmap(maps[index], map_bytes);
    if (control(node, VIDIOC_REQBUFS, &none) < 0) return "REQBUFS 0";
    *count = map_buffers(node, maps);
    if (*count < 0) return "REQBUFS";
    return control(node, VIDIOC_STREAMON, &type) < 0 ? "STREAMON" : NULL;
}

// Finds out in which format the frames come.
static bool take_format(int node) {
    struct v4l2_format got = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .fmt.pix = options.format};
    if (!options.pipe && control(node, VIDIOC_G_FMT, &got) < 0) return ended("G_FMT"), false;
    format = got.fmt.pix;
    printf("format %.4s %ux%u, %u bytes\n", (char *)&format.pixelformat, format.width, format.height, format.sizeimage);
    if (is_known(&format)) return true;
    printf("this format is not handled here\n");
    return false;
}

static int stream_by_mmap(int node) {
    void *maps[VIDEO_MAX_FRAME];
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE, count = -1, seconds_without = 0;
    bool holds = options.format.pixelformat, mapped = false;
    for (;;) {
        if (!mapped) count = map_buffers(node, maps);
        mapped = count > 0;
        if (mapped && options.wait_s) sleep(options.wait_s);
        if (mapped && control(node, VIDIOC_STREAMON, &type) == 0) break;
        // Nobody writes yet; there is nothing to wait on.
        bool may_come = errno == EIO || (!mapped && errno == EINVAL);
        if (!holds || !may_come || stopped) return ended(mapped ? "STREAMON" : "REQBUFS");
        usleep(200000);
    }
    // The writer may have set another format meanwhile, where the driver lets it.
    if (holds && !take_format(node)) return 3;
    printf("streaming at %.6f\n", now_s());
    for (;;) {
        if (!wait_frame(node)) {
            if (!options.chromium || errno != ETIMEDOUT || ++seconds_without == 10) return ended("poll");
            const char *failed = seconds_without == 1 ? restart(node, maps, &count) : NULL;
            if (failed) return ended(failed);
            continue;
        }
        seconds_without = 0;
        struct v4l2_buffer buffer = {.type = type, .memory = V4L2_MEMORY_MMAP};
        if (control(node, VIDIOC_DQBUF, &buffer) < 0) return ended("DQBUF");
        double stamp = buffer.timestamp.tv_sec + buffer.timestamp.tv_usec / 1e6;
        bool more = judge(maps[buffer.index], buffer.bytesused, buffer.sequence, stamp);
        if (!more || stopped) return sum_up(0);
        if (control(node, VIDIOC_QBUF, &buffer) < 0) return ended("QBUF");
    }
}

static int consume(void) {
    int node = options.pipe ? STDIN_FILENO : open(options.node, O_RDWR);
    if (node < 0) return ended("open");
    bool holds = options.format.pixelformat && !options.pipe;
    if (holds) {
        struct v4l2_format wanted = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .fmt.pix = options.format};
        if (control(node, VIDIOC_S_FMT, &wanted) < 0) return ended("S_FMT");
        printf("holding\n");
    }
    // Who holds by mmap asks again once it streams.
    if (!(holds && options.mmap) && !take_format(node)) return 3;
    return options.read || options.pipe ? stream_by_read(node) : stream_by_mmap(node);
}

// ---- the command line

static bool parse_colour(const char *text, struct colour *colour) {
    return sscanf(text, "%d,%d,%d", &colour->y, &colour->u, &colour->v) == 3;
}

static bool parse_until(const char *text) {
    const char *colon = strchr(text, ':');
    for (int i = 0; colon && i < CLASSES; i++)
        if (!strncmp(text, class_names[i], colon - text) && strlen(class_names[i]) == (size_t)(colon - text)) options.until = i;
    options.until_count = colon ? atol(colon + 1) : 0;
    return options.until != CLASSES && options.until_count > 0;
}

static bool parse_format(const char *text) {
    char fourcc[5] = "";
    struct v4l2_pix_format *format = &options.format;
    if (sscanf(text, "%4c:%ux%u", fourcc, &format->width, &format->height) != 3) return false;
    format->pixelformat = v4l2_fourcc(fourcc[0], fourcc[1], fourcc[2], fourcc[3]);
    format->field = V4L2_FIELD_NONE;
    return true;
}

static bool parse(int argc, char **argv) {
    options.pipe = argc > 1 && !strcmp(argv[1], "--pipe");
    options.node = argc > 1 ? argv[1] : "";
    for (int i = options.pipe ? 1 : 2; i < argc; i++) {
        const char *option = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(option, "--mmap")) { options.mmap = true; continue; }
        if (!strcmp(option, "--chromium")) { options.mmap = options.chromium = true; continue; }
        if (!strcmp(option, "--read")) { options.read = true; continue; }
        if (!strcmp(option, "--quiet")) { options.quiet = true; continue; }
        bool good = true;
        if (!strcmp(option, "--pipe")) good = parse_format(value);
        else if (!strcmp(option, "--frames")) good = (options.frames = atol(value)) > 0;
        else if (!strcmp(option, "--until")) good = parse_until(value);
        else if (!strcmp(option, "--patience")) good = (options.patience_s = atoi(value)) > 0;
        else if (!strcmp(option, "--wait")) good = (options.wait_s = atoi(value)) > 0;
        else if (!strcmp(option, "--hold-format")) good = parse_format(value);
        else if (!strcmp(option, "--room")) good = parse_colour(value, &options.search.room);
        else if (!strcmp(option, "--background")) good = parse_colour(value, &options.search.background);
        else if (!strcmp(option, "--tolerance")) options.search.tolerance = atoi(value);
        else good = false;
        if (!good) return fprintf(stderr, "consume: %s %s is not understood\n", option, value), false;
        i++;
    }
    return options.mmap + options.read + options.pipe == 1;
}

static void on_stop(int number) {
    (void)number;
    stopped = 1;
    // One that comes just before a system call that blocks would be lost: again in a second.
    alarm(1);
}

int main(int argc, char **argv) {
    if (!parse(argc, argv)) {
        fprintf(stderr, "consume NODE --mmap|--read [OPTIONS]; the head of consume/consume.c tells them\n");
        return 2;
    }
    // Without SA_RESTART: a signal ends a read.
    struct sigaction action = {.sa_handler = on_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    return consume();
}
