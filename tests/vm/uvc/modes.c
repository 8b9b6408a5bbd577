#define _GNU_SOURCE
#include "modes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/usb/ch9.h>
#include <linux/usb/video.h>

struct mode modes[MAX_MODES];
int mode_count;
int fps = 5;

void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("camera: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

_Noreturn void fail(const char *what) {
    say("%s: %s", what, strerror(errno));
    exit(1);
}

// ---- descriptors

void put(struct bytes *to, const char *widths, ...) {
    va_list values;
    va_start(values, widths);
    for (; *widths; widths++) {
        unsigned long value = va_arg(values, unsigned);
        for (int i = 0; i < *widths - '0'; i++) to->data[to->length++] = value >> (8 * i);
    }
    va_end(values);
}

static void patch16(struct bytes *in, size_t at, size_t value) {
    in->data[at] = value;
    in->data[at + 1] = value >> 8;
}

unsigned frame_interval(void) { return 10000000 / fps; }

static void put_frame(struct bytes *to, const struct mode *mode) {
    unsigned bits = mode->most_bytes * 8 * fps;
    put(to, "11111" "22" "4444" "14", 30, USB_DT_CS_INTERFACE, mode->mjpeg ? UVC_VS_FRAME_MJPEG : UVC_VS_FRAME_UNCOMPRESSED,
        mode->frame_index, 0, mode->width_px, mode->height_px, bits, bits, (unsigned)mode->most_bytes, frame_interval(), 1u,
        frame_interval());
}

// The modes of one format, numbered; how many there are.
static int number_modes(bool mjpeg, int format_index) {
    int count = 0;
    for (int i = 0; i < mode_count; i++)
        if (modes[i].mjpeg == mjpeg) modes[i].format_index = format_index, modes[i].frame_index = ++count;
    return count;
}

static void put_formats(struct bytes *to) {
    static const uint8_t yuy2[16] = {'Y', 'U', 'Y', '2', 0, 0, 16, 0, 128, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71};
    int mjpegs = number_modes(true, 1), yuyvs = number_modes(false, mjpegs ? 2 : 1);
    int formats = !!mjpegs + !!yuyvs;
    size_t begin = to->length;
    put(to, "1111211111111", 13 + formats, USB_DT_CS_INTERFACE, UVC_VS_INPUT_HEADER, formats, 0, STREAM_ENDPOINT, 0, 2, 0, 0,
        0, 1, 0);
    if (formats == 2) put(to, "1", 0);
    if (mjpegs) {
        put(to, "11111111111", 11, USB_DT_CS_INTERFACE, UVC_VS_FORMAT_MJPEG, 1, mjpegs, 1, 1, 0, 0, 0, 0);
        for (int i = 0; i < mode_count; i++) if (modes[i].mjpeg) put_frame(to, &modes[i]);
        put(to, "111111", 6, USB_DT_CS_INTERFACE, UVC_VS_COLORFORMAT, 1, 1, 4);
    }
    if (yuyvs) {
        put(to, "11111", 27, USB_DT_CS_INTERFACE, UVC_VS_FORMAT_UNCOMPRESSED, formats, yuyvs);
        memcpy(to->data + to->length, yuy2, sizeof yuy2);
        to->length += sizeof yuy2;
        put(to, "111111", 16, 1, 0, 0, 0, 0);
        for (int i = 0; i < mode_count; i++) if (!modes[i].mjpeg) put_frame(to, &modes[i]);
        put(to, "111111", 6, USB_DT_CS_INTERFACE, UVC_VS_COLORFORMAT, 1, 1, 4);
    }
    patch16(to, begin + 4, to->length - begin);
}

void put_endpoint(struct bytes *to, bool high_speed) {
    put(to, "111121", 7, USB_DT_ENDPOINT, STREAM_ENDPOINT, USB_ENDPOINT_XFER_BULK, high_speed ? 512 : 64, 0);
}

void put_configuration(struct bytes *to, bool high_speed) {
    size_t begin = to->length;
    put(to, "11211111", 9, USB_DT_CONFIG, 0, 2, 1, 0, USB_CONFIG_ATT_ONE | USB_CONFIG_ATT_SELFPOWER, 50);
    put(to, "11111111", 8, USB_DT_INTERFACE_ASSOCIATION, 0, 2, USB_CLASS_VIDEO, UVC_SC_VIDEO_INTERFACE_COLLECTION, 0, 0);
    put(to, "111111111", 9, USB_DT_INTERFACE, 0, 0, 0, USB_CLASS_VIDEO, UVC_SC_VIDEOCONTROL, 0, 0);
    put(to, "111224" "11", 13, USB_DT_CS_INTERFACE, UVC_VC_HEADER, 0x0100, 13 + 17 + 9, 1000000, 1, 1);
    put(to, "1111211222" "12", 17, USB_DT_CS_INTERFACE, UVC_VC_INPUT_TERMINAL, 1, UVC_ITT_CAMERA, 0, 0, 0, 0, 0, 2, 0);
    put(to, "11112111", 9, USB_DT_CS_INTERFACE, UVC_VC_OUTPUT_TERMINAL, 2, UVC_TT_STREAMING, 0, 1, 0);
    put(to, "111111111", 9, USB_DT_INTERFACE, 1, 0, 1, USB_CLASS_VIDEO, UVC_SC_VIDEOSTREAMING, 0, 0);
    put_formats(to);
    put_endpoint(to, high_speed);
    patch16(to, begin + 2, to->length - begin);
}

// ---- pictures

static void split(struct mode *mode, size_t bytes) {
    size_t frame_bytes = 2 * mode->width_px * mode->height_px, most = bytes / 100 + 2;
    mode->most_bytes = frame_bytes;
    mode->starts = calloc(most, sizeof *mode->starts);
    for (size_t at = 0; at + 1 < bytes && mode->count + 1 < most;) {
        uint8_t *end = mode->mjpeg ? memmem(mode->data + at, bytes - at, "\xff\xd9", 2) : mode->data + at + frame_bytes - 2;
        if (!end || end + 2 > mode->data + bytes) break;
        size_t next = end + 2 - mode->data;
        if (next - at > mode->most_bytes) mode->most_bytes = next - at + 1;
        mode->starts[mode->count++] = at;
        mode->starts[mode->count] = at = next;
    }
}

void add_mode(bool mjpeg, const char *text) {
    struct mode *mode = &modes[mode_count];
    int name_at = 0;
    mode->mjpeg = mjpeg;
    if (mode_count == MAX_MODES || sscanf(text, "%dx%d=%n", &mode->width_px, &mode->height_px, &name_at) < 2 || !name_at) {
        say("%s is not WIDTHxHEIGHT=FILE", text);
        exit(2);
    }
    int file = open(text + name_at, O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status) < 0) fail(text + name_at);
    mode->data = malloc(status.st_size);
    if (read(file, mode->data, status.st_size) != status.st_size) fail(text + name_at);
    close(file);
    split(mode, status.st_size);
    if (!mode->count) {
        say("%s holds no picture", text + name_at);
        exit(2);
    }
    mode_count++;
}
