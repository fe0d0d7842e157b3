/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/files/pod_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "codec/json.h"
#include "os/file.h"

enum { MAX_COMMAND = 16 << 10, MAX_CONFIG = 256 << 10 };

static const char *const known[] = {"/var/lib/rancher/k3s/agent/pod-manifests",
                                    "/var/lib/rancher/rke2/agent/pod-manifests", "/etc/kubernetes/manifests",
                                    "/etc/kubeedge/manifests"};

static const char *root_of(const char *host_root)
{
    return host_root != NULL ? host_root : "";
}

static bool is_path(const char *text)
{
    return text != NULL && text[0] == '/' && text[1] != '\0' && strlen(text) < HF_FILES_MAX_PATH;
}

/* ---- a running kubelet ------------------------------------------------------------------------------------------- */

struct search {
    const struct hf_fs_ops *fs;
    const char *host_root;
    char *path; /* HF_FILES_MAX_PATH bytes; "" while nothing is found */
};

/* The value of the flag `name` in a command line whose words end with zero bytes, or NULL. */
static const char *flag_of(const struct hf_buf *words, const char *name)
{
    size_t n = strlen(name);

    for (size_t at = 0; at < words->n; at += strlen(words->p + at) + 1) {
        const char *word = words->p + at;
        if (strncmp(word, name, n) != 0)
            continue;
        if (word[n] == '=')
            return word + n + 1;
        if (word[n] == '\0' && at + n + 1 < words->n)
            return word + n + 1;
    }
    return NULL;
}

/* staticPodPath of the kubelet's configuration file. */
static void read_config(const struct search *search, const char *config)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_CONFIG);
    _cleanup_(hf_json_freep) json_t *json = NULL;
    char path[HF_FILES_MAX_PATH + 256];

    (void)snprintf(path, sizeof(path), "%s%s", root_of(search->host_root), config);
    if (hf_file_read(search->fs, path, &text, NULL) < 0 || hf_yaml_parse(hf_buf_view(&text), NULL, &json, NULL) < 0)
        return;
    const char *folder = hf_json_str(json, "staticPodPath");
    if (is_path(folder))
        (void)snprintf(search->path, HF_FILES_MAX_PATH, "%s", folder);
}

static bool is_kubelet(const struct hf_buf *words)
{
    const char *slash = strrchr(words->p, '/');

    return strcmp(slash != NULL ? slash + 1 : words->p, "kubelet") == 0;
}

/* The text of a link of a process, or "" */
static void read_link(const struct search *search, const char *process, const char *link, char text[HF_FILES_MAX_PATH])
{
    char path[HF_FILES_MAX_PATH];

    (void)snprintf(path, sizeof(path), "%s/proc/%.20s/%s", root_of(search->host_root), process, link);
    ssize_t n = search->fs->readlinkat(search->fs->ctx, AT_FDCWD, path, text, HF_FILES_MAX_PATH - 1);
    text[n > 0 ? n : 0] = '\0';
}

/* Any user may give a process any command line, and root in a container is no root of the node. The kubelet is a
 * program of that name, of root or the agent's user, that sees the files of process 1. */
static bool is_trustworthy(const struct search *search, const char *process)
{
    char path[HF_FILES_MAX_PATH], files[HF_FILES_MAX_PATH], first[HF_FILES_MAX_PATH];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/proc/%.20s", root_of(search->host_root), process);
    if (search->fs->fstatat(search->fs->ctx, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        (st.st_uid != 0 && st.st_uid != geteuid()))
        return false;
    read_link(search, process, "exe", path);
    const char *slash = strrchr(path, '/');
    if (slash == NULL || (strcmp(slash, "/kubelet") != 0 && strcmp(slash, "/kubelet (deleted)") != 0))
        return false;
    read_link(search, process, "ns/mnt", files);
    read_link(search, "1", "ns/mnt", first);
    return files[0] != '\0' && strcmp(files, first) == 0;
}

static int look_at_process(void *arg, const char *name, unsigned char type)
{
    const struct search *search = arg;
    _cleanup_(hf_buf_done) struct hf_buf words = HF_BUF_INIT(MAX_COMMAND);
    char path[HF_FILES_MAX_PATH];

    (void)type;
    if (search->path[0] != '\0' || name[strspn(name, "0123456789")] != '\0')
        return 0;
    (void)snprintf(path, sizeof(path), "%s/proc/%.20s/cmdline", root_of(search->host_root), name);
    if (hf_file_read(search->fs, path, &words, NULL) < 0 || words.n == 0 || hf_buf_add(&words, "", 1) < 0 ||
        !is_kubelet(&words) || !is_trustworthy(search, name))
        return 0;
    const char *folder = flag_of(&words, "--pod-manifest-path"), *config = flag_of(&words, "--config");
    if (is_path(folder))
        (void)snprintf(search->path, HF_FILES_MAX_PATH, "%s", folder);
    else if (is_path(config))
        read_config(search, config);
    return 0;
}

static void ask_kubelet(struct search *search)
{
    const struct hf_fs_ops *fs = search->fs;
    char path[HF_FILES_MAX_PATH];

    (void)snprintf(path, sizeof(path), "%s/proc", root_of(search->host_root));
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    if (fd < 0)
        return;
    (void)fs->list(fs->ctx, fd, look_at_process, search);
    (void)fs->close(fs->ctx, fd);
}

/* ---- any --------------------------------------------------------------------------------------------------------- */

static bool is_folder(const struct search *search, const char *folder)
{
    char path[HF_FILES_MAX_PATH + 256];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s%s", root_of(search->host_root), folder);
    return search->fs->fstatat(search->fs->ctx, AT_FDCWD, path, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* Only a process with all capabilities can read the links of process 1, and thus finds a kubelet that runs. A folder
 * that every process finds may be that of a distribution which the node had before. */
static bool is_of_kubelet(const struct search *search, const char *folder)
{
    char files[HF_FILES_MAX_PATH];

    for (size_t i = 0; i < HF_LEN(known); i++)
        if (strcmp(folder, known[i]) == 0)
            return false;
    read_link(search, "1", "ns/mnt", files);
    return files[0] != '\0' && is_path(folder) && is_folder(search, folder);
}

int hf_pod_folder_find(const struct hf_fs_ops *fs, const char *host_root, const char *configured, const char *earlier,
                       char ret_path[HF_FILES_MAX_PATH], struct hf_err *err)
{
    struct search search = {.fs = fs, .host_root = host_root, .path = ret_path};

    ret_path[0] = '\0';
    if (is_path(configured)) {
        (void)snprintf(ret_path, HF_FILES_MAX_PATH, "%s", configured);
        return 0;
    }
    ask_kubelet(&search);
    if (ret_path[0] == '\0' && is_of_kubelet(&search, earlier))
        (void)snprintf(ret_path, HF_FILES_MAX_PATH, "%s", earlier);
    for (size_t i = 0; ret_path[0] == '\0' && i < HF_LEN(known); i++)
        if (is_folder(&search, known[i]))
            (void)snprintf(ret_path, HF_FILES_MAX_PATH, "%s", known[i]);
    if (ret_path[0] != '\0')
        return 0;
    return hf_err_set(err, ENOENT,
                      "no kubelet on this node reads static pods; name its folder in staticPodFolder of the "
                      "node's agent.yaml");
}
