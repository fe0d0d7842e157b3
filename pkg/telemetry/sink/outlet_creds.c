/* Files that the platform mounts and rotates: read when they are another file, or changed, since the last look; looked at when a
 * request is about to start, at most every few seconds. A half-rotated pair (new certificate, old key) is not taken: the client keeps
 * what it had and the next look tries again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/http_url.h"
#include "os/file.h"
#include "telemetry/sink/outlet_parts.h"

enum { MAX_FILE = 256 << 10, MAX_KEY = 1024 };

#define LOOK_NS (5 * HF_NS_PER_S)

enum which { CA, CERT, KEY, TOKEN, DEVICE_KEY, FILES };

struct file {
    const char *path; /* borrowed; NULL: not used */
    uint64_t inode, size;
    int64_t changed_s, changed_ns;
    struct hf_buf text;
};

struct outlet_creds {
    const struct hf_telemetry_world *world;
    struct file files[FILES];
    char *user_agent, *origin, *device_header, *device_path;
    const char *device_env;
    struct hf_http_client *client;
    const struct hf_http_ops *given; /* by a test; then there is no client */
    uint64_t look_ns;
    bool looked, changed;
};

static void wipe(struct hf_buf *buf)
{
    if (buf->p != NULL)
        explicit_bzero(buf->p, buf->cap);
    hf_buf_done(buf);
}

void hf_outlet_creds_free(struct outlet_creds *creds)
{
    if (creds == NULL)
        return;
    hf_http_client_free(creds->client);
    for (size_t i = 0; i < FILES; i++)
        wipe(&creds->files[i].text);
    if (creds->device_header != NULL)
        explicit_bzero(creds->device_header, strlen(creds->device_header));
    free(creds->device_header);
    free(creds->device_path);
    free(creds->user_agent);
    free(creds->origin);
    free(creds);
}

static int take_device_ref(struct outlet_creds *creds, const char *ref)
{
    if (ref == NULL || ref[0] == '\0')
        return 0;
    if (strncmp(ref, "env:", 4) == 0) {
        creds->device_env = ref + 4;
        return 0;
    }
    creds->device_path = strdup(strncmp(ref, "file:", 5) == 0 ? ref + 5 : ref);
    creds->files[DEVICE_KEY].path = creds->device_path;
    return creds->device_path != NULL ? 0 : -ENOMEM;
}

struct outlet_creds *hf_outlet_creds_new(const struct hf_outlet_params *params, const char *url, struct hf_err *err)
{
    struct outlet_creds *creds = calloc(1, sizeof(*creds));
    struct hf_url_parts to;

    if (creds == NULL) {
        (void)hf_err_set(err, ENOMEM, "no memory");
        return NULL;
    }
    creds->world = params->world;
    creds->given = params->http;
    creds->files[CA].path = params->sink->ca_file;
    creds->files[CERT].path = params->sink->cert_file;
    creds->files[KEY].path = params->sink->key_file;
    creds->files[TOKEN].path = params->sink->token_file;
    creds->user_agent = strdup(params->world->user_agent != NULL ? params->world->user_agent : "holdfast-agent");
    int r = hf_url_split(url, &to, err);
    if (r == 0) {
        creds->origin = strdup(to.origin);
        if (creds->origin == NULL || creds->user_agent == NULL || take_device_ref(creds, params->device_key_ref) < 0)
            r = hf_err_set(err, ENOMEM, "no memory");
    }
    if (r < 0) {
        hf_outlet_creds_free(creds);
        return NULL;
    }
    for (size_t i = 0; i < FILES; i++)
        creds->files[i].text.max = MAX_FILE;
    return creds;
}

/* Is it another file than the one that was read? 1, 0, -errno. */
static int look(const struct hf_fs_ops *fs, struct file *file, struct hf_err *err)
{
    struct stat st;
    int r = fs->fstatat(fs->ctx, AT_FDCWD, file->path, &st, 0);

    if (r < 0)
        return hf_err_sys(err, r, "look at '%s'", file->path);
    if (file->inode == st.st_ino && file->size == (uint64_t)st.st_size && file->changed_s == st.st_mtim.tv_sec &&
        file->changed_ns == st.st_mtim.tv_nsec)
        return 0;
    file->inode = st.st_ino;
    file->size = (uint64_t)st.st_size;
    file->changed_s = st.st_mtim.tv_sec;
    file->changed_ns = st.st_mtim.tv_nsec;
    return 1;
}

static int refresh(struct outlet_creds *creds, bool *ret_changed, struct hf_err *err)
{
    for (size_t i = 0; i < FILES; i++) {
        struct file *file = &creds->files[i];
        int r = file->path != NULL ? look(creds->world->fs, file, err) : 0;
        if (r < 0)
            return r;
        if (r == 0)
            continue;
        *ret_changed = true;
        wipe(&file->text);
        r = hf_file_read(creds->world->fs, file->path, &file->text, err);
        if (r < 0) {
            file->inode = 0; /* read it next time, whatever it looks like */
            return r;
        }
    }
    return 0;
}

/* One line without blanks around it; NULL when there is none. */
static char *one_line(struct hf_view text, const char *before)
{
    struct hf_view line = hf_view_trim(text);

    if (line.n == 0 || line.n > MAX_KEY || memchr(line.p, '\n', line.n) != NULL || memchr(line.p, '\r', line.n) != NULL)
        return NULL;
    return hf_asprintf("%s%.*s", before, (int)line.n, line.p);
}

static int take_device_key(struct outlet_creds *creds, struct hf_err *err)
{
    struct hf_view text =
        creds->device_env != NULL ? hf_view_of(getenv(creds->device_env)) : hf_buf_view(&creds->files[DEVICE_KEY].text);

    if (creds->device_env == NULL && creds->device_path == NULL)
        return 0;
    free(creds->device_header);
    creds->device_header = one_line(text, "X-Device-Key: ");
    return creds->device_header != NULL ? 0 : hf_err_set(err, EACCES, "there is no device key at its place");
}

static const char *text_of(const struct file *file)
{
    return file->path != NULL ? hf_buf_str(&file->text) : NULL;
}

static int take(struct outlet_creds *creds, struct hf_err *err)
{
    int r = take_device_key(creds, err);

    if (r < 0 || creds->given != NULL)
        return r;
    _cleanup_(hf_freep) char *token =
        creds->files[TOKEN].path != NULL ? one_line(hf_buf_view(&creds->files[TOKEN].text), "") : NULL;
    if (creds->files[TOKEN].path != NULL && token == NULL)
        return hf_err_set(err, EACCES, "'%s' holds no token", creds->files[TOKEN].path);
    struct hf_http_config config = {.user_agent = creds->user_agent,
                                    .ca_pem = text_of(&creds->files[CA]),
                                    .client_cert_pem = text_of(&creds->files[CERT]),
                                    .client_key_pem = text_of(&creds->files[KEY]),
                                    .bearer_token = token,
                                    .origin = creds->origin,
                                    .clock = creds->world->clock};
    if (creds->client != NULL) {
        r = hf_http_client_update(creds->client, &config, err);
    } else {
        creds->client = hf_http_client_new(creds->world->loop, &config, err);
        r = creds->client != NULL ? 0 : -EACCES;
    }
    if (token != NULL)
        explicit_bzero(token, strlen(token));
    return r;
}

const struct hf_http_ops *hf_outlet_creds_http(struct outlet_creds *creds, uint64_t now_ns, struct hf_err *err)
{
    bool changed = !creds->looked;
    int r = 0;

    if (!creds->looked || now_ns >= creds->look_ns) {
        creds->look_ns = now_ns + LOOK_NS;
        r = refresh(creds, &changed, err);
        if (r == 0 && changed)
            r = take(creds, err);
        if (r < 0)
            for (size_t i = 0; i < FILES; i++)
                creds->files[i].inode = 0;
        creds->looked = r == 0 || creds->looked;
        creds->changed = creds->changed || (changed && r == 0);
    }
    if (creds->given != NULL)
        return creds->looked ? creds->given : NULL;
    return creds->client != NULL ? hf_http_client_ops(creds->client) : NULL;
}

const char *hf_outlet_creds_device_key(const struct outlet_creds *creds)
{
    return creds->device_header;
}

bool hf_outlet_creds_changed(struct outlet_creds *creds)
{
    bool changed = creds->changed;

    creds->changed = false;
    return changed;
}

void hf_outlet_creds_rest(struct outlet_creds *creds)
{
    if (creds->client != NULL)
        hf_http_client_drop_connections(creds->client);
}
