/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/kubelet/listener.h"

#include <fcntl.h>
#include <stdio.h>

enum {
    STATE_LISTEN = 0x0A,    /* TCP_LISTEN of the kernel's net/tcp_states.h */
    MAX_LISTED = 256 << 10, /* the kernel lists the sockets that listen before the others */
};

struct listeners {
    uint16_t port;
    unsigned root, others;
    bool more; /* the last line was a socket that listens, so another one may follow */
};

/* One line, such as "  0: 0100007F:280F 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 4711 ...". */
static void count(struct listeners *listeners, const char *line)
{
    unsigned port, state, uid;

    if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %u", &port, &state, &uid) != 3)
        return;
    listeners->more = state == STATE_LISTEN;
    if (state != STATE_LISTEN || port != listeners->port)
        return;
    listeners->root += uid == 0;
    listeners->others += uid != 0;
}

static void count_all(struct listeners *listeners, const struct hf_fs_ops *fs, const char *path)
{
    char bytes[4096], line[256];
    size_t length = 0;
    uint64_t offset = 0;
    ssize_t n = 1;
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd < 0)
        return;
    while (n > 0 && offset < MAX_LISTED) {
        n = fs->pread(fs->ctx, fd, bytes, sizeof(bytes), offset);
        for (ssize_t i = 0; i < n; i++) {
            if (bytes[i] != '\n') {
                if (length < sizeof(line) - 1)
                    line[length++] = bytes[i];
                continue;
            }
            line[length] = '\0';
            length = 0;
            count(listeners, line);
        }
        offset += n > 0 ? (uint64_t)n : 0;
    }
    (void)fs->close(fs->ctx, fd);
    /* Somebody may have so many sockets that the list does not end here. */
    listeners->others += n < 0 || (n > 0 && listeners->more);
}

bool hf_listener_is_root(const struct hf_fs_ops *fs, uint16_t port)
{
    struct listeners listeners = {.port = port};

    count_all(&listeners, fs, "/proc/net/tcp");
    count_all(&listeners, fs, "/proc/net/tcp6");
    return listeners.root > 0 && listeners.others == 0;
}
