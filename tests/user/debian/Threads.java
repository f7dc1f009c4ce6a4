import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** A thread pool, code hot enough for the compilers, a null pointer caught by its fault. */
public class Threads {
    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Long>> jobs = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            final int k = i;
            jobs.add(pool.submit(() -> {
                long s = 0;
                for (int j = 0; j < 2000000; j++) s += (j ^ k) % 7;
                return s;
            }));
        }
        long sum = 0;
        for (Future<Long> f : jobs) sum += f.get();
        pool.shutdown();
        StringBuilder b = new StringBuilder();
        for (int i = 0; i < 100000; i++) b.append(i % 10);
        try {
            Object o = args.length > 99 ? b : null;
            o.hashCode();
        } catch (NullPointerException e) {
            System.out.println("null pointer");
        }
        System.out.println(sum + " " + b.toString().hashCode());
    }
}
