/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/sink/outlet_creds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "loop/http/client.h"
#include "loop/http/url.h"
#include "os/file.h"
#include "os/secret_ref.h"
#include "trust/identity.h"

enum { MAX_FILE = 256 << 10, MAX_KEY = 1024 };

#define CHECK_NS (5 * HF_NS_PER_S)

enum creds_index { CA, CERT, KEY, TOKEN, DEVICE_KEY, FILES };

struct creds_file {
    const char *path;     /* borrowed; NULL: the sink does not use it */
    uint64_t inode, size; /* identify the file as last read; inode 0: read it again */
    int64_t changed_s, changed_ns;
    struct hf_buf text;
};

struct hf_outlet_creds {
    const struct hf_telemetry_env *env;
    struct creds_file files[FILES];
    char *user_agent, *origin;
    char *device_ref; /* NULL: no device key */
    struct hf_secret_ref device;
    char *device_header;
    bool node_certificate, node_token;
    unsigned generation; /* of the node's identity, as used */
    char *token;         /* of the node, as used */
    struct hf_http_client *client;
    const struct hf_http_ops *given; /* to a folder, or by a test; then there is no client */
    uint64_t check_ns;               /* time of the next check */
    bool ready;                      /* the files could be used once */
    bool changed;                    /* since hf_outlet_creds_changed() */
};

/* What the node proves itself by at this sink; borrowed from its identity, and NULL where the sink uses files. */
struct node_proof {
    const char *certificate_pem, *key_pem, *token;
};

static void replace(char **secret, char *by)
{
    hf_buf_wipe_text(secret);
    *secret = by;
}

void hf_outlet_creds_free(struct hf_outlet_creds *creds)
{
    if (creds == NULL)
        return;
    hf_http_client_free(creds->client);
    for (size_t i = 0; i < FILES; i++)
        hf_buf_wipe(&creds->files[i].text);
    hf_buf_wipe_text(&creds->device_header);
    hf_buf_wipe_text(&creds->token);
    free(creds->device_ref);
    free(creds->user_agent);
    free(creds->origin);
    free(creds);
}

/* A reference without a prefix is a path. */
static int set_device_ref(struct hf_outlet_creds *creds, const char *ref)
{
    if (ref == NULL || ref[0] == '\0')
        return 0;
    creds->device_ref = strdup(ref);
    if (creds->device_ref == NULL)
        return -ENOMEM;
    if (hf_secret_ref_parse(creds->device_ref, &creds->device) < 0)
        creds->device = (struct hf_secret_ref){HF_SECRET_FILE, creds->device_ref};
    if (creds->device.kind == HF_SECRET_FILE)
        creds->files[DEVICE_KEY].path = creds->device.name;
    return 0;
}

struct hf_outlet_creds *hf_outlet_creds_new(const struct hf_outlet_params *params, const char *url, struct hf_err *err)
{
    struct hf_outlet_creds *creds = calloc(1, sizeof(*creds));
    struct hf_url_parts to;

    if (creds == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    creds->env = params->env;
    bool exported = params->env->exported != NULL;
    creds->given = exported ? params->env->exported : params->http;
    if (!exported) {
        creds->files[CA].path = params->sink->ca_file;
        creds->files[CERT].path = params->sink->cert_file;
        creds->files[KEY].path = params->sink->key_file;
        creds->files[TOKEN].path = params->sink->token_file;
        creds->node_certificate = params->sink->node_certificate;
        creds->node_token = params->sink->node_token;
    }
    creds->user_agent = strdup(params->env->user_agent != NULL ? params->env->user_agent : "holdfast-agent");
    int r = hf_url_split(url, &to, err);
    if (r == 0) {
        creds->origin = strdup(to.origin);
        const char *device_ref = params->sink->format == HF_SINK_SEED && !exported ? params->device_key_ref : NULL;
        if (creds->origin == NULL || creds->user_agent == NULL || set_device_ref(creds, device_ref) < 0)
            r = hf_err_set(err, ENOMEM, "out of memory");
    }
    if (r < 0) {
        hf_outlet_creds_free(creds);
        return NULL;
    }
    for (size_t i = 0; i < FILES; i++)
        creds->files[i].text.max = MAX_FILE;
    return creds;
}

/* Returns 1 if the file differs from the one that was read, 0 if not, or -errno. */
static int check_file(const struct hf_fs_ops *fs, struct creds_file *file, struct hf_err *err)
{
    struct stat st;
    int r = fs->fstatat(fs->ctx, AT_FDCWD, file->path, &st, 0);

    if (r < 0)
        return hf_err_sys(err, r, "stat '%s'", file->path);
    if (file->inode == st.st_ino && file->size == (uint64_t)st.st_size && file->changed_s == st.st_mtim.tv_sec &&
        file->changed_ns == st.st_mtim.tv_nsec)
        return 0;
    file->inode = st.st_ino;
    file->size = (uint64_t)st.st_size;
    file->changed_s = st.st_mtim.tv_sec;
    file->changed_ns = st.st_mtim.tv_nsec;
    return 1;
}

static int refresh(struct hf_outlet_creds *creds, bool *ret_changed, struct hf_err *err)
{
    for (size_t i = 0; i < FILES; i++) {
        struct creds_file *file = &creds->files[i];
        int r = file->path != NULL ? check_file(creds->env->fs, file, err) : 0;
        if (r < 0)
            return r;
        if (r == 0)
            continue;
        *ret_changed = true;
        hf_buf_wipe(&file->text);
        r = hf_file_read(creds->env->fs, file->path, &file->text, err);
        if (r < 0) {
            file->inode = 0;
            return r;
        }
    }
    return 0;
}

/* Returns `before` and the text without blanks around it; NULL: the text is empty, too long or has several lines, or
 * no memory. */
static char *one_line(struct hf_view text, const char *before)
{
    struct hf_view line = hf_view_trim(text);

    if (line.n == 0 || line.n > MAX_KEY || memchr(line.p, '\n', line.n) != NULL || memchr(line.p, '\r', line.n) != NULL)
        return NULL;
    return hf_asprintf("%s%.*s", before, (int)line.n, line.p);
}

/* Keeps the old key if the new one cannot be used. */
static int set_device_key(struct hf_outlet_creds *creds, struct hf_err *err)
{
    struct hf_buf *text = &creds->files[DEVICE_KEY].text;

    if (creds->device_ref == NULL)
        return 0;
    if (creds->device.kind == HF_SECRET_ENV) {
        int r = hf_secret_ref_read(&creds->device, creds->env->fs, text, err);
        if (r < 0)
            return hf_err_wrap(err, r, "read the device key");
    }
    char *header = one_line(hf_buf_view(text), "X-Device-Key: ");
    if (header == NULL)
        return hf_err_set(err, EACCES, "'%s' holds no device key", creds->device_ref);
    replace(&creds->device_header, header);
    return 0;
}

/* A sink that wants a proof gets nothing without it. */
static int prove(const struct hf_outlet_creds *creds, struct node_proof *ret_proof, struct hf_err *err)
{
    struct hf_identity *identity = creds->env->identity;
    int r =
        creds->node_certificate ? hf_identity_pair(identity, &ret_proof->certificate_pem, &ret_proof->key_pem, err) : 0;

    if (r == 0 && creds->node_token)
        r = hf_identity_token(identity, creds->origin, &ret_proof->token, err);
    return r;
}

static bool is_renewed(const struct hf_outlet_creds *creds)
{
    return creds->node_certificate && creds->generation != hf_identity_generation(creds->env->identity);
}

static bool is_other_token(const struct hf_outlet_creds *creds, const char *token)
{
    return token != NULL && (creds->token == NULL || strcmp(creds->token, token) != 0);
}

static const char *text_of(const struct creds_file *file)
{
    return file->path != NULL ? hf_buf_str(&file->text) : NULL;
}

static int use(struct hf_outlet_creds *creds, const struct node_proof *proof, struct hf_err *err)
{
    int r = set_device_key(creds, err);

    if (r < 0 || creds->given != NULL)
        return r;
    bool in_file = creds->files[TOKEN].path != NULL;
    char *token = in_file                ? one_line(hf_buf_view(&creds->files[TOKEN].text), "")
                  : proof->token != NULL ? strdup(proof->token)
                                         : NULL;
    if (token == NULL && (in_file || proof->token != NULL))
        return in_file ? hf_err_set(err, EACCES, "'%s' holds no token", creds->files[TOKEN].path)
                       : hf_err_set(err, ENOMEM, "out of memory");
    struct hf_http_config config = {
        .user_agent = creds->user_agent,
        .ca_pem = text_of(&creds->files[CA]),
        .client_cert_pem = proof->certificate_pem != NULL ? proof->certificate_pem : text_of(&creds->files[CERT]),
        .client_key_pem = proof->key_pem != NULL ? proof->key_pem : text_of(&creds->files[KEY]),
        .bearer_token = token,
        .origin = creds->origin,
        .clock = creds->env->clock};
    if (creds->client != NULL) {
        r = hf_http_client_update(creds->client, &config, err);
    } else {
        creds->client = hf_http_client_new(creds->env->loop, &config, err);
        r = creds->client != NULL ? 0 : -EACCES;
    }
    if (r == 0)
        creds->generation = hf_identity_generation(creds->env->identity);
    if (r == 0 && proof->token != NULL)
        replace(&creds->token, hf_steal(token));
    hf_buf_wipe_text(&token);
    return r;
}

const struct hf_http_ops *hf_outlet_creds_http(struct hf_outlet_creds *creds, uint64_t now_ns, struct hf_err *err)
{
    bool changed = !creds->ready || is_renewed(creds);
    struct node_proof proof = {.token = NULL};
    int r = prove(creds, &proof, err);

    if (r < 0)
        return NULL;
    if (!creds->ready || now_ns >= creds->check_ns) {
        creds->check_ns = now_ns + CHECK_NS;
        r = refresh(creds, &changed, err);
    }
    if (r == 0 && (changed || is_other_token(creds, proof.token)))
        r = use(creds, &proof, err);
    if (r < 0)
        for (size_t i = 0; i < FILES; i++)
            creds->files[i].inode = 0;
    creds->ready = r == 0 || creds->ready;
    creds->changed = creds->changed || (changed && r == 0);
    if (creds->given != NULL)
        return creds->ready ? creds->given : NULL;
    return creds->client != NULL ? hf_http_client_ops(creds->client) : NULL;
}

const char *hf_outlet_creds_device_key(const struct hf_outlet_creds *creds)
{
    return creds->device_header;
}

bool hf_outlet_creds_changed(struct hf_outlet_creds *creds)
{
    bool changed = creds->changed;

    creds->changed = false;
    return changed;
}

void hf_outlet_creds_close_idle(struct hf_outlet_creds *creds)
{
    if (creds->client != NULL)
        hf_http_client_drop_connections(creds->client);
}
