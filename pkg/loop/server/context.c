/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "loop/server/internal.h"
#include "os/fd.h"

/* For lws's table by descriptor number, with 896 for other files of the process. */
enum { HF_SERVER_DESCRIPTORS = HF_SERVER_MAX_CONNECTIONS + 896 };

enum {
    SERVICE_BYTES = 16384, /* lws' receive buffer; it handles one filling per turn of the loop */
    CLOSING = 64,          /* connections that we ended to make room, until lws has closed them */
};

/* lws keeps its connections in a table. It takes the descriptor as the index only if the table is at least as long as
 * the limit of open files; otherwise it searches the whole table several times for each connection. The limit may be a
 * million, so lower it while lws makes the table. *ret_size: the length of the table. */
static struct lws_context *create_with_index(const struct lws_context_creation_info *info, int *ret_size)
{
    struct rlimit limit = {.rlim_cur = 0}, low;

    *ret_size = HF_SERVER_DESCRIPTORS;
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur > 0 && limit.rlim_cur < HF_SERVER_DESCRIPTORS)
        *ret_size = (int)limit.rlim_cur;
    low = (struct rlimit){.rlim_cur = HF_SERVER_DESCRIPTORS, .rlim_max = limit.rlim_max};
    bool lowered = limit.rlim_cur > HF_SERVER_DESCRIPTORS && setrlimit(RLIMIT_NOFILE, &low) == 0;
    struct lws_context *context = lws_create_context(info);
    if (lowered)
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    return context;
}

#ifdef LWS_WITH_EVLIB_PLUGINS
/* Opens the folder that libwebsockets was loaded from; -1 on failure. */
static int library_folder(void)
{
    char folder[PATH_MAX];
    Dl_info info;

    if (dladdr((void *)(uintptr_t)&lws_create_context, &info) == 0 || info.dli_fname == NULL ||
        strchr(info.dli_fname, '/') == NULL)
        return -1;
    (void)snprintf(folder, sizeof(folder), "%s", info.dli_fname);
    *strrchr(folder, '/') = '\0';
    return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* lws 4.1 brings its uv part as a plugin, and looks for it in the working directory before anywhere else. Change to
 * the folder of libwebsockets itself while it loads: that folder belongs to the same installation, wherever it is,
 * and nobody can slip in a plugin through the folder in which the process was started. */
static struct lws_context *create_in_folder(const struct lws_context_creation_info *info, int *ret_size)
{
    _cleanup_(hf_closep) int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(hf_closep) int folder = library_folder();

    if (folder < 0 || fchdir(folder) < 0)
        return NULL;
    struct lws_context *context = create_with_index(info, ret_size);
    /* The old working directory may have been removed meanwhile. */
    if (back < 0 || fchdir(back) < 0)
        (void)!chdir("/");
    return context;
}
#else
/* A static program has lws' uv part in itself (deploy/image/holdimage/archives.py). */
static struct lws_context *create_in_folder(const struct lws_context_creation_info *info, int *ret_size)
{
    return create_with_index(info, ret_size);
}
#endif

/* Viewers (feed.h): whoever reads answers a ping. */
static const lws_retry_bo_t viewers = {.secs_since_valid_ping = HF_SERVER_IDLE_S - 10,
                                       .secs_since_valid_hangup = HF_SERVER_IDLE_S};

int hf_server_context_create(struct hf_server_host *host, struct hf_err *err)
{
    void *loops[] = {&host->loop->uv};
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = hf_server_exchange_protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
        .foreign_loops = loops,
        .user = host,
        .pcontext = &host->context, /* lws sets it to NULL when its end is complete */
        .gid = -1,
        .uid = -1,
        .vhost_name = "local",
        .server_string = "holdfast",
        .fd_limit_per_thread = HF_SERVER_DESCRIPTORS, /* create_with_index() says why */
        .max_http_header_data = HF_SERVER_MAX_HEADER_BYTES,
        .max_http_header_pool = HF_SERVER_MAX_CONNECTIONS + CLOSING,
        .pt_serv_buf_size = SERVICE_BYTES,
        .timeout_secs = HF_SERVER_IDLE_S,
        .keepalive_timeout = HF_SERVER_IDLE_S,
        .timeout_secs_ah_idle = HF_SERVER_IDLE_S,
        .retry_and_idle_policy = &viewers,
    };

    lws_set_log_level(0, NULL);
    host->context = create_in_folder(&info, &host->descriptors);
    if (host->context == NULL)
        return hf_err_set(err, ENOSYS, "cannot start libwebsockets (is its libuv plugin installed?)");
    host->vhost = lws_get_vhost_by_name(host->context, "local");
    return host->vhost != NULL ? 0 : hf_err_set(err, ENOSYS, "libwebsockets made no virtual host");
}
