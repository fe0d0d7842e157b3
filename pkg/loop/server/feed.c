/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/server/feed.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "loop/server/internal.h"

enum {
    MAX_TEXT_BYTES = 4 << 20,
    MAX_HEARD = 1 << 20, /* between two texts; the pongs of a day are a twentieth */
};

struct hf_server_feed {
    struct hf_server_feed_params params;
    struct hf_list viewers; /* struct hf_server_connection.viewing */
    unsigned n_viewers;
    uint64_t version;   /* of the text; 0: none yet */
    struct hf_buf text; /* behind LWS_PRE bytes, into which lws writes the head of the frame */
};

struct hf_server_feed *hf_server_feed_new(const struct hf_server_feed_params *params)
{
    struct hf_server_feed *feed = calloc(1, sizeof(*feed));

    if (feed == NULL)
        return NULL;
    feed->params = *params;
    feed->text.max = LWS_PRE + MAX_TEXT_BYTES;
    hf_list_init(&feed->viewers);
    return feed;
}

void hf_server_feed_free(struct hf_server_feed *feed)
{
    struct hf_list *it, *next;

    if (feed == NULL)
        return;
    hf_list_each(it, next, &feed->viewers) {
        hf_list_remove(it);
        hf_container_of(it, struct hf_server_connection, viewing)->feed = NULL;
    }
    hf_buf_done(&feed->text);
    free(feed);
}

/* lws answers pings by itself, and says nothing of them: the kernel counts. */
static bool floods(struct hf_server_connection *connection)
{
    uint64_t info[17]; /* the last: tcpi_bytes_received, for which the C libraries have no name */
    socklen_t n = sizeof(info);
    uint64_t before = connection->heard;

    if (getsockopt(lws_get_socket_fd(connection->wsi), IPPROTO_TCP, TCP_INFO, info, &n) < 0 || n < sizeof(info))
        return false; /* a Unix socket */
    connection->heard = info[16];
    return before != 0 && connection->heard - before > MAX_HEARD;
}

static void wake(const struct hf_server_feed *feed)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &feed->viewers)
        lws_callback_on_writable(hf_container_of(it, struct hf_server_connection, viewing)->wsi);
}

/* Who floods need not read, and so may never become writable. */
static void end_floods(const struct hf_server_feed *feed)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &feed->viewers) {
        struct hf_server_connection *connection = hf_container_of(it, struct hf_server_connection, viewing);
        if (floods(connection))
            lws_set_timeout(connection->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
    }
}

int hf_server_feed_send(struct hf_server_feed *feed, struct hf_view text)
{
    static const char head[LWS_PRE];
    struct hf_buf fresh = HF_BUF_INIT(LWS_PRE + MAX_TEXT_BYTES);
    int r = hf_buf_add(&fresh, head, sizeof(head));

    if (r == 0)
        r = hf_buf_add(&fresh, text.p, text.n);
    if (r < 0) {
        hf_buf_done(&fresh);
        return r;
    }
    hf_buf_done(&feed->text);
    feed->text = fresh;
    feed->version++;
    end_floods(feed);
    wake(feed);
    return 0;
}

void hf_server_feed_end(struct hf_server_feed *feed)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &feed->viewers)
        hf_container_of(it, struct hf_server_connection, viewing)->unwanted = true;
    wake(feed);
}

/* ---- for the connections of a server ----------------------------------------------------------------------------- */

bool hf_server_feed_is_full(const struct hf_server_feed *feed)
{
    return feed->n_viewers >= feed->params.max_viewers;
}

bool hf_server_feed_join(struct hf_server_feed *feed, struct hf_server_connection *connection, const char *protocols)
{
    if (connection->feed != NULL || hf_server_feed_is_full(feed) ||
        !feed->params.may_join(feed->params.arg, &connection->peer, protocols))
        return false;
    connection->feed = feed;
    connection->answering = true;
    hf_list_append(&feed->viewers, &connection->viewing);
    feed->n_viewers++;
    feed->params.changed(feed->params.arg, feed->n_viewers);
    return true;
}

void hf_server_feed_leave(struct hf_server_connection *connection)
{
    struct hf_server_feed *feed = hf_steal(connection->feed);

    if (feed == NULL)
        return;
    hf_list_remove(&connection->viewing);
    feed->n_viewers--;
    feed->params.changed(feed->params.arg, feed->n_viewers);
}

int hf_server_feed_write(struct hf_server_connection *connection)
{
    struct hf_server_feed *feed = connection->feed;

    if (feed == NULL || connection->unwanted || connection->server->closed)
        return -1;
    if (connection->seen == feed->version)
        return 0;
    connection->seen = feed->version;
    size_t n = feed->text.n - LWS_PRE;
    return lws_write(connection->wsi, (unsigned char *)feed->text.p + LWS_PRE, n, LWS_WRITE_TEXT) < (int)n ? -1 : 0;
}
