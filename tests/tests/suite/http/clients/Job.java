import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

class Job {
    public static void main(String[] arguments) throws Exception {
        var base = System.getenv("BASE");
        for (var version : HttpClient.Version.values()) {
            var client = HttpClient.newBuilder().version(version).build();
            var show = HttpRequest.newBuilder(URI.create(base + "/show/it")).build();
            var answer = client.send(show, BodyHandlers.ofString());
            System.out.println(answer.version() + " " + answer.statusCode() + " " + answer.body());
            var delete = HttpRequest.newBuilder(URI.create(base + "/users/7")).DELETE().build();
            System.out.println(client.send(delete, BodyHandlers.ofString()).statusCode());
            var people = HttpRequest.newBuilder(URI.create(base + "/people/json")).build();
            System.out.println(client.send(people, BodyHandlers.ofString()).body());
        }
    }
}
