/* SPDX-License-Identifier: Apache-2.0 */
/* The built program as a service manager sees it: arguments, exit codes, signals, its local pages. On a folder of objects, so
 * without any network but the loopback. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/process/process.h"
#include "api/meta.h"
#include "base/encoding/base64.h"
#include "codec/json.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "trust/key.h"

enum { MAX_ARGS = 24 };

struct scene {
    char dir[64], log[96], state[96], objects[96];
};

static const char *program(char path[512])
{
    const char *build = getenv("HF_BUILD_DIR");

    (void)snprintf(path, 512, "%s/holdfast-agent", build != NULL ? build : "build/asan");
    return path;
}

static void set_up(struct scene *s)
{
    (void)snprintf(s->dir, sizeof(s->dir), "/tmp/holdfast-process-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(s->dir));
    (void)snprintf(s->log, sizeof(s->log), "%s/log", s->dir);
    (void)snprintf(s->state, sizeof(s->state), "%s/state", s->dir);
    (void)snprintf(s->objects, sizeof(s->objects), "%s/objects", s->dir);
    ck_assert_int_eq(mkdir(s->objects, 0755), 0);
}

static void tear_down(struct scene *s)
{
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), s->dir, NULL), 0);
}

static pid_t run_program(struct scene *s, const char *const *argv)
{
    ck_assert_msg(access(argv[0], X_OK) == 0, "%s is not built", argv[0]);
    pid_t pid = fork();
    if (pid == 0) {
        int log = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        (void)dup2(log, STDERR_FILENO);
        (void)dup2(log, STDOUT_FILENO);
        (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    ck_assert_int_gt(pid, 0);
    return pid;
}

static pid_t start(struct scene *s, const char *const *more)
{
    char path[512];
    const char *argv[MAX_ARGS] = {program(path), "--source",      s->objects, "--state-dir", s->state, "--trust-dir",
                                  s->dir,        "--update-root", s->dir,     "--node-name", "n1",     "--metrics-port",
                                  "0",           "--log-level",   "debug"};
    size_t n = 15;

    while (*more != NULL && n < MAX_ARGS - 1)
        argv[n++] = *more++;
    return run_program(s, argv);
}

#define START(scene, ...) start((scene), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static int ended(pid_t pid)
{
    int status = 0;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void doze(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL);
}

static char *log_text(struct scene *s, char text[65536])
{
    int fd = open(s->log, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, 65535);

    if (fd >= 0)
        (void)close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

/* Wait until the log holds `wanted`; where it stands. */
static const char *wait_for(struct scene *s, const char *wanted, char text[65536])
{
    for (int i = 0; i < 2400; i++, doze(25)) {
        const char *at = strstr(log_text(s, text), wanted);
        if (at != NULL)
            return at;
    }
    ck_abort_msg("no '%s' in the log:\n%s", wanted, text);
    return NULL;
}

static const struct {
    const char *args[4];
    int want;
    const char *said;
} lines[] = {
    {{"--version"}, HF_EXIT_OK, "holdfast-agent "},
    {{"--help"}, HF_EXIT_OK, "usage: holdfast-agent"},
    {{"--frobnicate"}, HF_EXIT_USAGE, "unknown argument '--frobnicate'"},
    {{"--metrics-port", "x"}, HF_EXIT_USAGE, "--metrics-port 'x': expected"},
    {{"--state-dir", "/proc/nowhere"}, HF_EXIT_FAILED, "agent.not_started"},
    {{"--source", "/nonexistent/folder"}, -1, "read folder '/nonexistent/folder': No such file or directory"},
    {{"--source", "/nonexistent/folder", "--once"}, HF_EXIT_FAILED, "read folder '/nonexistent/folder'"},
    {{"--source", "/dev/null", "--once"}, HF_EXIT_FAILED, "read folder '/dev/null': Not a directory"},
};

START_TEST(arguments)
{
    struct scene s;
    char text[65536];

    set_up(&s);
    pid_t pid = start(&s, lines[_i].args);
    (void)wait_for(&s, lines[_i].said, text);
    if (lines[_i].want < 0)
        (void)kill(pid, SIGTERM);
    int code = ended(pid);
    ck_assert_msg(code == HF_MAX(lines[_i].want, 0), "%s: exit %d\n%s", lines[_i].args[0], code, log_text(&s, text));
    tear_down(&s);
}
END_TEST

START_TEST(stops_when_asked)
{
    static const int signals[] = {SIGTERM, SIGINT};
    struct scene s;
    char text[65536], path[128];

    set_up(&s);
    pid_t pid = START(&s);
    (void)wait_for(&s, "server.listening", text);
    (void)kill(pid, SIGHUP);
    doze(100);
    (void)kill(pid, signals[_i]);
    ck_assert_int_eq(ended(pid), HF_EXIT_OK);
    ck_assert_ptr_nonnull(strstr(log_text(&s, text), "agent.stopped"));
    (void)snprintf(path, sizeof(path), "%s/clock", s.state);
    ck_assert_int_eq(access(path, R_OK), 0);
    tear_down(&s);
}
END_TEST

START_TEST(one_agent_per_state_folder)
{
    struct scene s;
    char text[65536], holder[64];

    set_up(&s);
    pid_t first = START(&s);
    (void)wait_for(&s, "agent.started", text);
    pid_t second = START(&s);
    ck_assert_int_eq(ended(second), HF_EXIT_LOCKED);
    (void)snprintf(holder, sizeof(holder), "another agent (pid %d)", (int)first);
    ck_assert_ptr_nonnull(strstr(log_text(&s, text), holder));
    (void)kill(first, SIGKILL);
    ck_assert_int_eq(ended(first), 128 + SIGKILL);
    pid_t third = START(&s, "--once"); /* the lock died with its holder */
    ck_assert_int_eq(ended(third), HF_EXIT_OK);
    tear_down(&s);
}
END_TEST

static void write_file(const char *folder, const char *name, const char *content)
{
    char path[192];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    ck_assert_int_eq(hf_file_replace(hf_fs_posix(), path, content, strlen(content), 0644, NULL), 0);
}

START_TEST(once_says_how_it_went)
{
    struct scene s;
    char text[65536];

    set_up(&s);
    ck_assert_int_eq(ended(START(&s, "--once")), HF_EXIT_OK);
    write_file(
        s.objects, "bad.yaml",
        "apiVersion: edge.codcompass.io/v1alpha1\nkind: EdgeUpdate\nmetadata: {name: bad}\nspec: {release: {}}\n");
    ck_assert_int_eq(ended(START(&s, "--once", "--log-level", "error")), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(log_text(&s, text), "\"level\":\"error\",\"event\":\"object.refused\""));
    write_file(s.objects, "torn.yaml", "a: [\n");
    ck_assert_int_ne(ended(START(&s, "--once", "--log-level", "error")), HF_EXIT_OK);
    ck_assert_ptr_nonnull(strstr(log_text(&s, text), "\"kind\":\"File\",\"name\":\"torn.yaml\""));
    tear_down(&s);
}
END_TEST

static bool file_says(const char *folder, const char *name, const char *text)
{
    _cleanup_(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(65536);
    char path[192];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    ck_assert_msg(hf_file_read(hf_fs_posix(), path, &bytes, NULL) == 0, "no %s", path);
    return strstr(hf_buf_str(&bytes), text) != NULL;
}

/* Who is told to stop says so, in both places; who has done what it was started for leaves its word as it is. */
START_TEST(the_last_word)
{
    struct scene s;
    char text[65536], run[128];

    set_up(&s);
    (void)snprintf(run, sizeof(run), "%s/run", s.dir);
    pid_t pid = START(&s, "--run-dir", run);
    (void)wait_for(&s, "status.delivered", text);
    ck_assert(file_says(run, "status.json", "NothingSelected"));
    (void)kill(pid, SIGTERM);
    ck_assert_int_eq(ended(pid), HF_EXIT_OK);
    ck_assert(file_says(run, "status.json", "AgentStopped"));
    ck_assert(file_says(s.state, "status/EdgeNode-n1.json", "AgentStopped"));
    ck_assert_int_eq(ended(START(&s, "--once", "--run-dir", run)), HF_EXIT_OK);
    ck_assert(file_says(run, "status.json", "NothingSelected"));
    ck_assert(file_says(run, "status.json", "\"state\":\"Once\""));
    tear_down(&s);
}
END_TEST

#define TELEMETRY_POLICY                                                                                               \
    "apiVersion: edge.codcompass.io/v1alpha1\nkind: SyncPolicy\nmetadata: {name: p}\nspec:\n  telemetry:\n"            \
    "    sources: {http: true}\n    sink: {url: 'http://127.0.0.1:9/in', format: json}\n"

#define START_STORING(scene, storage, ...)                                                                             \
    START(scene, "--storage-dir", storage, "--ingest-port", "0", "--health-port", "0" __VA_OPT__(, ) __VA_ARGS__)

/* Each with its own state folder: what they store would be lost, or sent twice. Who is killed lets go at once. */
START_TEST(one_agent_per_storage_folder)
{
    struct scene one, two;
    char text[65536], storage[128], wanted[256];

    set_up(&one);
    set_up(&two);
    (void)snprintf(storage, sizeof(storage), "%s/telemetry", one.dir);
    write_file(one.objects, "policy.yaml", TELEMETRY_POLICY);
    write_file(two.objects, "policy.yaml", TELEMETRY_POLICY);
    pid_t first = START_STORING(&one, storage);
    (void)wait_for(&one, "telemetry.set", text);
    pid_t second = START_STORING(&two, storage);
    (void)wait_for(&two, "\"event\":\"telemetry.no_storage\"", text);
    ck_assert_ptr_null(strstr(text, "telemetry.set"));
    (void)snprintf(wanted, sizeof(wanted),
                   "another agent (pid %d) already runs on '%s': stop it, or give this one its own --storage-dir",
                   (int)first, storage);
    ck_assert_msg(strstr(text, wanted) != NULL, "%s", text);
    (void)kill(second, SIGTERM);
    ck_assert_int_eq(ended(second), HF_EXIT_OK);
    ck_assert(file_says(two.state, "status/EdgeNode-n1.json", "\"troubles\":[\"storage: another agent (pid"));
    (void)kill(first, SIGKILL);
    ck_assert_int_eq(ended(first), 128 + SIGKILL);
    second = START_STORING(&two, storage);
    (void)wait_for(&two, "telemetry.set", text);
    (void)kill(second, SIGTERM);
    ck_assert_int_eq(ended(second), HF_EXIT_OK);
    tear_down(&two);
    tear_down(&one);
}
END_TEST

/* The only sink needs no name, and is told all the same. */
START_TEST(where_telemetry_goes_is_told)
{
    static const char wanted[] =
        "\"sinks\":[{\"name\":\"default\",\"breaker\":\"Closed\",\"origin\":\"http://127.0.0.1:9\"}]";
    struct scene s;
    char text[65536], storage[128];

    set_up(&s);
    (void)snprintf(storage, sizeof(storage), "%s/telemetry", s.dir);
    write_file(s.objects, "policy.yaml", TELEMETRY_POLICY);
    pid_t pid = START(&s, "--storage-dir", storage);
    (void)wait_for(&s, "status.delivered", text);
    for (int i = 0; i < 2400 && !file_says(s.state, "status/EdgeNode-n1.json", wanted); i++)
        doze(25);
    ck_assert(file_says(s.state, "status/EdgeNode-n1.json", wanted));
    (void)kill(pid, SIGTERM);
    ck_assert_int_eq(ended(pid), HF_EXIT_OK);
    tear_down(&s);
}
END_TEST

START_TEST(a_hold_is_heard)
{
    struct scene s;
    char text[65536], path[128];

    set_up(&s);
    pid_t pid = START(&s);
    (void)wait_for(&s, "server.listening", text);
    write_file(s.state, "hold", "{\"reason\":\"line 3\"}");
    (void)wait_for(&s, "hold.begun", text);
    (void)snprintf(path, sizeof(path), "%s/hold", s.state);
    ck_assert_int_eq(unlink(path), 0);
    (void)wait_for(&s, "hold.ended", text);
    (void)kill(pid, SIGTERM);
    ck_assert_int_eq(ended(pid), HF_EXIT_OK);
    tear_down(&s);
}
END_TEST

/* Writes an EdgeUpdate that the private key `priv` has signed as "k". */
static void write_update(struct scene *s, const char *priv)
{
    _cleanup_(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(10000), base64 = HF_BUF_INIT(200);
    unsigned char signature[HF_ED25519_SIGNATURE];
    char path[128], url[128];

    (void)snprintf(path, sizeof(path), "%s/app", s->dir);
    (void)snprintf(url, sizeof(url), "file://%s/nothing", s->dir);
    _cleanup_(hf_json_freep) json_t *json = json_pack(
        "{s:s, s:s, s:{s:s}, s:{s:{s:s, s:s, s:i, s:[{s:s, s:s, s:s, s:i}], s:{s:s}}}}", "apiVersion",
        HF_API_GROUP_VERSION, "kind", "EdgeUpdate", "metadata", "name", "u", "spec", "release", "name", "app",
        "version", "1.0.0", "sequence", 1, "artifacts", "arch", "amd64", "url", url, "sha256",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "size", 10, "install", "path", path);
    ck_assert_int_eq(hf_json_put(json, "spec.release.expires", json_string("2090-01-01T00:00:00Z")), 0);
    ck_assert_int_eq(hf_json_put(json, "spec.release.health",
                                 json_pack("{s:[{s:{s:[s]}}]}", "checks", "exec", "command", "/bin/true")),
                     0);
    ck_assert_int_eq(hf_json_canonical(hf_json_at(json, "spec.release"), &bytes, NULL), 0);
    ck_assert_int_eq(hf_trust_sign(priv, hf_buf_view(&bytes), signature, NULL), 0);
    ck_assert_int_eq(hf_base64_encode(signature, sizeof(signature), &base64), 0);
    ck_assert_int_eq(
        hf_json_put(json, "spec.signatures", json_pack("[{s:s, s:s}]", "keyId", "k", "signature", hf_buf_str(&base64))),
        0);
    hf_buf_clear(&bytes);
    ck_assert_int_eq(hf_json_format(json, &bytes), 0);
    write_file(s->objects, "update.yaml", hf_buf_str(&bytes));
}

/* The policy's interval is five minutes: nobody has to wait for it after adding a key. */
START_TEST(a_new_key_counts_within_seconds)
{
    _cleanup_(hf_buf_done) struct hf_buf priv = HF_BUF_INIT(1000), pub = HF_BUF_INIT(1000);
    struct scene s;
    char text[65536], trust[96];

    set_up(&s);
    ck_assert_int_eq(hf_trust_generate(&priv, &pub, NULL), 0);
    write_update(&s, hf_buf_str(&priv));
    (void)snprintf(trust, sizeof(trust), "%s/trust.d", s.dir);
    pid_t pid = START(&s, "--trust-dir", trust);
    (void)wait_for(&s, "NoTrustedKeys", text);
    ck_assert_int_eq(mkdir(trust, 0755), 0);
    write_file(trust, "k.pem", hf_buf_str(&pub));
    (void)wait_for(&s, "DownloadFailed", text);
    (void)kill(pid, SIGTERM);
    ck_assert_int_eq(ended(pid), HF_EXIT_OK);
    tear_down(&s);
}
END_TEST

/* A port of this machine that somebody has; the socket is to be closed. */
static int take_port(char port[8])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    (void)snprintf(port, 8, "%u", ntohs(at.sin_port));
    return fd;
}

static const char *const port_flags[] = {"--metrics-port", "--ingest-port", "--health-port"};

/* What listens nowhere is found when the first probe or scrape fails, days later. */
START_TEST(a_taken_port_fails_the_start)
{
    struct scene s;
    char text[65536], port[8], wanted[64];

    set_up(&s);
    int fd = take_port(port);
    ck_assert_int_eq(ended(START(&s, port_flags[_i], port)), HF_EXIT_FAILED);
    (void)log_text(&s, text);
    (void)snprintf(wanted, sizeof(wanted), "port %s on 127.0.0.1", port);
    ck_assert_msg(strstr(text, "agent.not_started") != NULL && strstr(text, wanted) != NULL, "%s", text);
    (void)snprintf(wanted, sizeof(wanted), "give another with %s", port_flags[_i]);
    ck_assert_msg(strstr(text, wanted) != NULL && strstr(text, "--listen-optional") != NULL, "%s", text);
    ck_assert_ptr_null(strstr(text, "agent.started"));
    pid_t pid = START(&s, port_flags[_i], port, "--listen-optional");
    (void)wait_for(&s, "agent.started", text);
    ck_assert_ptr_nonnull(strstr(text, "\"level\":\"warning\",\"event\":\"server.failed\""));
    (void)kill(pid, SIGTERM);
    ck_assert_int_eq(ended(pid), HF_EXIT_OK);
    (void)close(fd);
    tear_down(&s);
}
END_TEST

/* As systemd's Type=notify does it. */
START_TEST(tells_its_service_manager)
{
    struct scene s;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char said[64] = "";

    set_up(&s);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", s.dir);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    (void)setenv("NOTIFY_SOCKET", address.sun_path, 1);
    pid_t pid = START(&s);
    (void)unsetenv("NOTIFY_SOCKET");
    ck_assert_int_gt(recv(fd, said, sizeof(said) - 1, 0), 0);
    ck_assert_str_eq(said, "READY=1");
    (void)kill(pid, SIGTERM);
    memset(said, 0, sizeof(said));
    ck_assert_int_gt(recv(fd, said, sizeof(said) - 1, 0), 0);
    ck_assert_str_eq(said, "STOPPING=1");
    ck_assert_int_eq(ended(pid), HF_EXIT_OK);
    (void)close(fd);
    tear_down(&s);
}
END_TEST

/* Posts to the socket of the run folder; the head of the answer. */
static const char *post_event(const char *run, char reply[512])
{
    static const char request[] = "POST /ingest HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                  "Content-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"sensorData\": 1}";
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/ingest.sock", run);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
    ssize_t n = recv(fd, reply, 511, MSG_WAITALL);
    reply[n < 0 ? 0 : n] = '\0';
    (void)close(fd);
    return reply;
}

/* Who posts before the agent knows its policy is told to come again; without the source in the policy, that there is
 * none. */
START_TEST(a_post_before_the_policy_is_known)
{
    struct scene s;
    char text[65536], run[128], reply[512];

    set_up(&s);
    (void)snprintf(run, sizeof(run), "%s/run", s.dir);
    pid_t pid = START(&s, "--source", "/nonexistent/folder", "--run-dir", run);
    (void)wait_for(&s, "read folder", text);
    ck_assert_msg(strncmp(post_event(run, reply), "HTTP/1.1 503 ", 13) == 0, "%s", reply);
    ck_assert_msg(strstr(reply, "etry-") != NULL || strstr(reply, "ETRY-") != NULL, "%s", reply);
    (void)kill(pid, SIGTERM);
    ck_assert_int_eq(ended(pid), HF_EXIT_OK);
    pid = START(&s, "--run-dir", run);
    (void)wait_for(&s, "\"source.synced\",\"kind\":\"SyncPolicy\"", text);
    ck_assert_msg(strncmp(post_event(run, reply), "HTTP/1.1 404 ", 13) == 0, "%s", reply);
    (void)kill(pid, SIGTERM);
    ck_assert_int_eq(ended(pid), HF_EXIT_OK);
    tear_down(&s);
}
END_TEST

/* An API server that is not there, and credentials in files: it starts, waits, reads them again when told, and stops. */
START_TEST(without_its_server)
{
    static const char kubeconfig[] = "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
                                     "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                                     "clusters: [{name: k, cluster: {server: 'http://127.0.0.1:1'}}]\n"
                                     "users: [{name: u, user: {tokenFile: token}}]\n";
    struct scene s;
    char text[65536], path[512], config[128];

    set_up(&s);
    write_file(s.dir, "token", "first");
    write_file(s.dir, "config", kubeconfig);
    (void)snprintf(config, sizeof(config), "%s/config", s.dir);
    const char *argv[] = {program(path), "--kubeconfig", config,           "--state-dir", s.state,
                          "--trust-dir", s.dir,          "--metrics-port", "0",           "--node-name",
                          "n1",          "--log-level",  "debug",          NULL};
    pid_t pid = run_program(&s, argv);
    (void)wait_for(&s, "server.listening", text);
    (void)wait_for(&s, "kube.lost", text);
    write_file(s.dir, "token", "second");
    (void)kill(pid, SIGHUP);
    (void)wait_for(&s, "credentials.changed", text);
    ck_assert_ptr_null(strstr(log_text(&s, text), "second"));
    (void)kill(pid, SIGTERM);
    ck_assert_int_eq(ended(pid), HF_EXIT_OK);
    tear_down(&s);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, arguments, 0, HF_LEN(lines));
    tcase_add_loop_test(tc, stops_when_asked, 0, 2);
    tcase_add_test(tc, one_agent_per_state_folder);
    tcase_add_test(tc, once_says_how_it_went);
    tcase_add_test(tc, the_last_word);
    tcase_add_test(tc, one_agent_per_storage_folder);
    tcase_add_test(tc, where_telemetry_goes_is_told);
    tcase_add_test(tc, a_hold_is_heard);
    tcase_add_test(tc, a_new_key_counts_within_seconds);
    tcase_add_loop_test(tc, a_taken_port_fails_the_start, 0, HF_LEN(port_flags));
    tcase_add_test(tc, tells_its_service_manager);
    tcase_add_test(tc, without_its_server);
    tcase_add_test(tc, a_post_before_the_policy_is_known);
}

HF_TEST_MAIN("agent/process", cases)
