import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WebTest {
  private final List<Process> processes = new ArrayList<>();

  @Test
  void answersWithWhatOrdersSays() throws Exception {
    var orders = start("orders");
    var web = start("web", orders);
    assertEquals("ordered", Service.request(web));
  }

  @AfterEach
  void stop() throws Exception {
    for (var process : processes) {
      process.destroy();
      process.waitFor();
    }
  }

  /** With the agent of this JVM. Returns the URL of the service. */
  private String start(String service, String... args) throws Exception {
    var command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java"));
    for (var argument : ManagementFactory.getRuntimeMXBean().getInputArguments())
      if (argument.startsWith("-javaagent:")) command.add(argument);
    command.addAll(List.of("-cp", "target/test-classes", "Service"));
    command.addAll(List.of(args));
    var builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("OTEL_SERVICE_NAME", service);
    var process = builder.start();
    processes.add(process);
    return new BufferedReader(new InputStreamReader(process.getInputStream())).readLine();
  }
}
