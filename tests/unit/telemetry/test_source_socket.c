#include "unit/telemetry/source_fixture.h"

#include <sys/socket.h>
#include <sys/un.h>

static struct hf_source *source;
static char path[128];

static int make(struct hf_err *err)
{
    const struct hf_telemetry_sources sources = {.socket_path = path};

    return hf_source_socket_new(&sources, &world, &intake, &source, err);
}

static void set_up(void)
{
    struct hf_err err = HF_ERR_INIT;

    fix_set_up_real();
    (void)snprintf(path, sizeof(path), "%s/in.sock", dir);
    ck_assert_msg(make(&err) == 0, "%s", err.cause);
}

static void tear_down(void)
{
    if (source != NULL)
        source->free(source);
    fix_tear_down();
}

static int open_sender(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%.100s", path);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

START_TEST(lines)
{
    static const char *const datagrams[] = {"plain",
                                            "<11>with priority",
                                            "<0>",
                                            "<999>no priority",
                                            "two\nlines\r\n\n",
                                            "",
                                            "{\"msg\":\"json\",\"level\":\"error\",\"a\":1}",
                                            "bad \xff byte",
                                            "<14>{\"msg\":\"both\"}"};
    int fd = open_sender();

    for (size_t i = 0; i < HF_LEN(datagrams); i++)
        ck_assert_int_eq(send(fd, datagrams[i], strlen(datagrams[i]), 0), (ssize_t)strlen(datagrams[i]));
    run_until_kept(8);
    ck_bodies("plain", "with priority", "<999>no priority", "two", "lines", "json", "bad \xff byte", "both");
    ck_assert_ptr_nonnull(strstr(fix.lines[1], "\"severity\":\"error\""));
    ck_assert_ptr_nonnull(strstr(fix.lines[5], "\"severity\":\"error\",\"attributes\":{\"a\":\"1\"}"));
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "\"source\":\"socket\",\"kind\":\"log\",\"severity\":\"info\""));
    (void)close(fd);
}
END_TEST

/* Without room nothing is read, the sender's socket fills up, and nothing of what it took is lost. */
START_TEST(back_pressure)
{
    int fd = open_sender(), sent = 0;
    char text[64];

    fix.room = 5;
    for (int quiet = 0; quiet < 20 && sent < 5000;) {
        int n = snprintf(text, sizeof(text), "line %d", sent);
        if (send(fd, text, (size_t)n, 0) == n) {
            sent++;
            quiet = 0;
        } else {
            ck_assert_int_eq(errno, EAGAIN);
            run_s(0.01);
            quiet++;
        }
    }
    ck_assert_int_lt(sent, 5000);
    ck_assert_uint_eq(fix.n, 5);
    fix.room = SIZE_MAX;
    source->resume(source);
    run_until_kept((size_t)sent);
    for (int i = 0; i < sent; i++) {
        (void)snprintf(text, sizeof(text), "line %d", i);
        ck_assert_str_eq(fix.bodies[i], text);
    }
    (void)close(fd);
}
END_TEST

START_TEST(the_name)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_source *first = source;
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0666);
    ck_assert_int_eq(make(&err), 0); /* a twin takes it over */
    first->free(first);
    ck_assert_int_eq(stat(path, &st), 0); /* and keeps it */
    source->free(source);
    ck_assert_int_ne(stat(path, &st), 0);
    (void)put("in.sock", "somebody's file");
    source = NULL;
    ck_assert_int_eq(make(&err), -EEXIST);
    ck_assert_int_eq(stat(path, &st), 0);
    (void)snprintf(path, sizeof(path), "%s/none/in.sock", dir);
    ck_assert_int_eq(make(&err), -ENOENT);
    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    ck_assert_int_eq(make(&err), -ENAMETOOLONG);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, lines);
    tcase_add_test(tc, back_pressure);
    tcase_add_test(tc, the_name);
}

HF_TEST_MAIN("telemetry/source_socket", cases)
