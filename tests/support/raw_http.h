/* SPDX-License-Identifier: Apache-2.0 */
/* support/raw_http.h - requests to a local server of the same loop, with exactly the headers that the test wants. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

struct raw_answer {
    int status; /* 0: the server closed without an answer */
    char head[8192];
    char *body; /* ends with a zero byte */
    size_t n;
};

/* A connection to 127.0.0.1:`port`. */
int raw_http_connect(uint16_t port);

/* Writes all of `bytes`, runs the loop, and reads until `until` (may be NULL) is in what came, or the server closes, or
 * `limit_ms` have passed. Returns the number of bytes in `text`, which ends with a zero byte. */
size_t raw_http_talk(struct hf_loop *loop, int fd, const void *bytes, size_t n, const char *until, unsigned limit_ms,
                     char *text, size_t size);

/* `headers`: lines that end with CR LF. */
struct raw_answer raw_http_ask(struct hf_loop *loop, uint16_t port, const char *method, const char *path,
                               const char *headers);
void raw_answer_done(struct raw_answer *answer);
