/* SPDX-License-Identifier: Apache-2.0 */
/* Internal: a listening socket with its accepted connections, and a tick while there are any. */
#pragma once

#include <sys/socket.h>

#include "base/buf.h"
#include "loop/core.h"

/* Returns a listening descriptor. `address`: numeric; `port` 0: any. -EADDRINUSE, -EACCES; -EINVAL: not an address. */
HF_MUST_USE int hf_listener_open(const char *address, uint16_t port, int backlog, uint16_t *ret_port,
                                 struct hf_err *err);

struct hf_listener {
    struct hf_loop *loop;
    uint64_t tick_ns;
    /* Takes fd. */
    void (*accepted)(void *arg, int fd, const struct sockaddr_storage *from);
    void (*tick)(void *arg);
    void *arg;
    /* ---- own ---- */
    int fd;
    uint16_t port;
    struct hf_loop_fd *watch;
    struct hf_timer *timer;
    struct hf_list connections; /* hf_accepted.link */
    unsigned n;
};

/* Fill the fields before `own`. Needs hf_listener_done() also after an error. */
HF_MUST_USE int hf_listener_init(struct hf_listener *listener, const char *address, uint16_t port, struct hf_err *err);
/* Drop all connections before. */
void hf_listener_done(struct hf_listener *listener);

/* Embed it in a connection. */
struct hf_accepted {
    struct hf_list link;
    struct hf_listener *listener;
    int fd;
    struct hf_loop_fd *watch;
    uint64_t until_ns; /* uv_hrtime(); for the owner's tick */
    struct hf_buf in;
};

/* Takes fd; calls ready() when readable. Needs hf_listener_drop() also after an error. */
HF_MUST_USE int hf_listener_admit(struct hf_accepted *accepted, struct hf_listener *listener, int fd,
                                  void (*ready)(void *arg), void *arg);
void hf_listener_drop(struct hf_accepted *accepted);
void hf_listener_extend(struct hf_accepted *accepted, unsigned seconds);
