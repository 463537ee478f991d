/* Runs `clickhouse local` out of a shared library as a server.
 *   launcher LIBRARY OPTION..
 * The last query of the options reads standard input: a pipe of this program's own, which it closes on SIGTERM or SIGINT, so
 * that the engine ends its queries and stops in order. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static int write_end;
static sigset_t stops;

static void *close_on_stop(void *nothing) {
    int which;
    sigwait(&stops, &which);
    close(write_end);
    return nothing;
}

int main(int count, char **arguments) {
    int ends[2];
    if (count < 2 || pipe2(ends, O_CLOEXEC) != 0 || dup2(ends[0], STDIN_FILENO) < 0) return 2;
    close(ends[0]);
    write_end = ends[1];

    /* Blocked here, so blocked in every thread of the engine: only the one that waits for them gets them. */
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stops, NULL);
    pthread_t waiter;
    if (pthread_create(&waiter, NULL, close_on_stop, NULL) != 0) return 2;

    void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    void *(*run)(int, char **) = (void *(*)(int, char **))dlsym(library, "chdb_query_cmdline");
    const char *(*error_of)(void *) = (const char *(*)(void *))dlsym(library, "chdb_result_error");
    if (run == NULL || error_of == NULL) {
        fprintf(stderr, "%s does not have the functions that are looked for\n", arguments[1]);
        return 2;
    }
    arguments[1] = "clickhouse";
    void *result = run(count - 1, arguments + 1);
    const char *error = result != NULL ? error_of(result) : "no result";
    int failed = error != NULL && *error != '\0';
    if (failed) fprintf(stderr, "%s\n", error);
    fflush(NULL);
    _exit(failed);
}
