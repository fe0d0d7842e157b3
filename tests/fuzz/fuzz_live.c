/* SPDX-License-Identifier: Apache-2.0 */
/* What a viewer may send: bytes after the handshake of a websocket, or, behind a first byte that is even, in its place.
 * Whatever comes, the server gives the feed's text and nothing of the input but the payload of a control frame, and
 * forgets the viewer when it is gone. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop/server/feed.h"
#include "support/loop_for.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { TURNS = 40, TURNS_TO_FORGET = 400 };

static const char handshake[] = "GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static struct hf_loop *loop;
static struct hf_server_feed *feed;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static unsigned viewers;

static bool may_join(void *arg, const struct hf_peer *peer, const char *protocols)
{
    (void)protocols;
    (void)arg;
    (void)peer;
    return true;
}

static void changed(void *arg, unsigned n_viewers)
{
    (void)arg;
    viewers = n_viewers;
}

static void answer(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    (void)arg;
    (void)request;
    reply->status = 426;
}

static void clean_up(void)
{
    hf_server_feed_free(feed);
    hf_loop_free(loop);
    (void)unlink(address.sun_path);
    *strrchr(address.sun_path, '/') = '\0';
    (void)rmdir(address.sun_path);
}

static void begin(void)
{
    char folder[] = "/tmp/holdfast-fuzz-XXXXXX";
    struct hf_server *server;

    if (mkdtemp(folder) == NULL)
        abort();
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", folder);
    loop = hf_loop_new(NULL);
    feed =
        hf_server_feed_new(&(struct hf_server_feed_params){.max_viewers = 2, .may_join = may_join, .changed = changed});
    if (loop == NULL || feed == NULL || hf_server_feed_send(feed, HF_VIEW("the text")) < 0)
        abort();
    const struct hf_server_route route = {.path = "/live", .method = "GET", .handle = answer, .feed = feed};
    const struct hf_server_name name = {.path = address.sun_path, .mode = 0600, .gid = (gid_t)-1};
    const struct hf_server_params params = {.name = &name, .routes = &route, .n_routes = 1};
    if (hf_server_new(loop, &params, &server, NULL) < 0)
        abort();
    (void)atexit(clean_up);
}

/* lws answers such a frame with its own payload (RFC 6455, 5.5): a close without a mask comes back as it is. */
static bool is_control_frame(const uint8_t *frame)
{
    return (frame[0] & 0x08) != 0;
}

static void converse(int fd, const uint8_t *bytes, size_t n, bool is_viewer)
{
    char said[8192];
    size_t used = 0;

    if (is_viewer && send(fd, handshake, sizeof(handshake) - 1, MSG_NOSIGNAL) < 0)
        abort();
    for (int i = 0; is_viewer && viewers == 0 && i < TURNS_TO_FORGET; i++)
        loop_run_for(loop, 0);
    if (is_viewer && viewers != 1)
        abort();
    (void)!send(fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    for (int i = 0; i < TURNS; i++) {
        loop_run_for(loop, 0);
        ssize_t got = recv(fd, said + used, sizeof(said) - used, MSG_DONTWAIT);
        if (got == 0)
            break;
        used += got > 0 ? (size_t)got : 0;
    }
    if (is_viewer && memmem(said, used, "the text", 8) == NULL)
        abort();
    if (n >= 32 && memmem(said, used, bytes, n) != NULL && !(is_viewer && is_control_frame(bytes)) &&
        memmem(handshake, sizeof(handshake), bytes, n) == NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (loop == NULL)
        begin();
    if (n == 0 || n > 32768)
        return 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        abort();
    converse(fd, bytes + 1, n - 1, bytes[0] % 2 == 1);
    (void)close(fd);
    for (int i = 0; viewers > 0 && i < TURNS_TO_FORGET; i++)
        loop_run_for(loop, 0);
    if (viewers > 0)
        abort();
    return 0;
}
