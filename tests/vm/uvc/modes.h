// What the camera offers, and the USB descriptors that say so.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_MODES = 8, HEADER_BYTES = 2, STREAM_ENDPOINT = 0x81 };

// One size of one format, with its pictures.
struct mode {
    bool mjpeg;
    int width_px, height_px;
    uint8_t *data;
    size_t *starts; // of each picture, and the end of the last
    size_t count;
    size_t most_bytes;
    int format_index, frame_index;
};

extern struct mode modes[MAX_MODES];
extern int mode_count;
extern int fps;

// Adds a mode from WIDTHxHEIGHT=FILE, or ends the program.
void add_mode(bool mjpeg, const char *text);

// Time from frame to frame, in UVC's unit of 100 ns.
unsigned frame_interval(void);

// A growing piece of little-endian numbers.
struct bytes {
    uint8_t data[2048];
    size_t length;
};

// put(bytes, widths, values...): numbers, each as many bytes wide as its digit in `widths` says.
void put(struct bytes *to, const char *widths, ...);

// All descriptors of the one configuration, at full or high speed. Numbers the modes, too.
void put_configuration(struct bytes *to, bool high_speed);
void put_endpoint(struct bytes *to, bool high_speed);

// Says what went wrong, with the system's reason, and ends the program.
_Noreturn void fail(const char *what);
void say(const char *format, ...);
