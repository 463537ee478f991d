// Keyed by the Citylens track: joins its detections with its mapping, drops re-deliveries, finds the H3 cell.
package hexflow.peer;

import com.uber.h3core.H3Core;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.streaming.api.functions.co.KeyedCoProcessFunction;
import org.apache.flink.util.Collector;

public final class JoinOnce
        extends KeyedCoProcessFunction<String, Detection, Tuple2<String, String>, Detection> {
    private static final int RESOLUTION = 2;

    private transient H3Core h3;
    private transient ValueState<String> track;
    private transient MapState<String, Boolean> seen;
    private transient ListState<Detection> waiting; // those that came before their mapping

    @Override
    public void open(OpenContext context) throws Exception {
        h3 = H3Core.newInstance();
        var state = getRuntimeContext();
        track = state.getState(new ValueStateDescriptor<>("track", Types.STRING));
        seen = state.getMapState(new MapStateDescriptor<>("seen", Types.STRING, Types.BOOLEAN));
        waiting = state.getListState(new ListStateDescriptor<>("waiting", Types.VALUE(Detection.class)));
    }

    @Override
    public void processElement1(Detection row, Context context, Collector<Detection> out) throws Exception {
        String trackId = track.value();
        if (trackId == null) {
            waiting.add(row);
        } else {
            join(row, trackId, out);
        }
    }

    @Override
    public void processElement2(Tuple2<String, String> mapping, Context context, Collector<Detection> out)
            throws Exception {
        track.update(mapping.f1);
        for (Detection row : waiting.get()) {
            join(row, mapping.f1, out);
        }
        waiting.clear();
    }

    private void join(Detection row, String trackId, Collector<Detection> out) throws Exception {
        if (seen.contains(row.detectionId)) {
            return;
        }
        seen.put(row.detectionId, Boolean.TRUE);
        row.trackId = trackId;
        row.cell = h3.latLngToCell(row.lat, row.lon, RESOLUTION);
        out.collect(row);
    }
}
